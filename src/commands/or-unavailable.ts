import { StoreFailure } from '../storage/store.ts';

/** What comes of an attempt, or that the store could not be asked, which whoever asked is then told. */
export async function orUnavailable<Result>(attempt: Promise<Result>): Promise<Result | 'unavailable'> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof StoreFailure) return 'unavailable';
    throw error;
  }
}
