/**
 * Asks one at a time: whoever wants to know meanwhile, or soon after, gets the same answer. A question that failed is
 * asked again.
 * @param keptMs for how long an answer is given again
 */
export function cacheBriefly<Answer>(
  ask: () => Promise<Answer>,
  { keptMs, now }: { readonly keptMs: number; readonly now: () => number },
): () => Promise<Answer> {
  let asking: Promise<Answer> | undefined;
  let last: { readonly answer: Answer; readonly at: number } | undefined;

  async function askNow(): Promise<Answer> {
    try {
      const answer = await ask();
      last = { answer, at: now() };
      return answer;
    } finally {
      asking = undefined;
    }
  }

  return async () => {
    if (last !== undefined && now() - last.at < keptMs) return last.answer;
    asking ??= askNow();
    return asking;
  };
}
