/**
 * Work that hardly ever has to wait: a generator that yields the promises it has to wait for.
 *
 * A picture arrives in some forty pieces, of which three or four have to wait for the disk. An async function would make
 * a promise for each of them, and the connection would be stopped and started again every time.
 */
export type SeldomWaiting<Result = void> = Generator<Promise<unknown>, Result, void>;

/** Does the work at once where it can be done at once; a promise comes back only from where it had to wait. */
export function runSeldomWaiting<Result>(work: SeldomWaiting<Result>): Result | Promise<Result> {
  const step = work.next();
  return step.done === true ? step.value : goOn(work, step.value);
}

async function goOn<Result>(work: SeldomWaiting<Result>, firstWait: Promise<unknown>): Promise<Result> {
  let wait = firstWait;
  for (;;) {
    const step = await wait.then(
      () => work.next(),
      (error: unknown) => work.throw(error),
    );
    if (step.done === true) return step.value;
    wait = step.value;
  }
}
