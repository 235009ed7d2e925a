import { buttonElement, element } from './elements.ts';
import type { Mask } from './mask.ts';
import { encodeMask } from './png.ts';
import { words } from './words.ts';

/** Sends the mask. The answer is a page of its own, which says how it went. */
export async function sendMask(mask: Mask, share: number): Promise<void> {
  const status = element('status');
  const done = buttonElement('done');
  if (done.ariaDisabled === 'true') return;
  if (share === 0 || share === 1) {
    status.textContent = share === 0 ? words.nothing : words.everything;
    return;
  }
  done.ariaDisabled = 'true';
  status.textContent = words.sending;
  keepStill(true);
  const answer = await post(mask);
  if (answer) return showAnswer(answer);
  status.textContent = words.failed;
  done.ariaDisabled = 'false';
  keepStill(false);
}

/** Whether what is under way can be seen only, because what is painted now would not be in what is sent. */
function keepStill(isStill: boolean): void {
  for (const part of document.querySelectorAll<HTMLElement>('.tools, .stage')) part.inert = isStill;
}

/**
 * Undefined where it could not be written, did not get there, or may work in a moment. What a proxy or anybody else
 * between says in the server's place is no answer: nothing that was painted is given up for it.
 */
async function post(mask: Mask): Promise<Document | undefined> {
  try {
    const response = await fetch(location.href, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: await encodeMask(mask),
      // To the page's own server only; without it some browsers would not say where the mask comes from.
      referrerPolicy: 'same-origin',
    });
    const answer = new DOMParser().parseFromString(await response.text(), 'text/html');
    const { says } = answer.body.dataset;
    return says === undefined || says === 'failed' ? undefined : answer;
  } catch {
    return undefined;
  }
}

function showAnswer({ title, body }: Document): void {
  document.title = title;
  document.body.replaceWith(body);
  // Whoever does not see the page hears its new heading.
  body.querySelector('h1')?.focus();
}
