import type { ServerResponse } from 'node:http';

/**
 * What is sent or taken over links, and stands in memory meanwhile: one at a time for each link, a few in all, and each
 * for a while only. Whoever has a link could begin any number of them, and neither read nor send a byte.
 */
export type Exchanges = {
  /**
   * Counts an exchange until its answer has gone out, or its connection. An older one over the same link is cut off:
   * whoever loads a page again, or sends a mask again, has given up on it. False where it cannot begin now.
   */
  begin(link: string, response: ServerResponse): boolean;
  /** What was sent over a link has come whole: from here on nothing newer cuts off the answer to it. */
  settle(link: string): void;
};

export function createExchanges({ countMax, msMax }: { countMax: number; msMax: number }): Exchanges {
  const open = new Map<string, { readonly response: ServerResponse; isSettled: boolean }>();
  return {
    begin(link, response) {
      const older = open.get(link);
      if (older ? older.isSettled : open.size >= countMax) return false;
      if (older) cutOff(older.response);
      const exchange = { response, isSettled: false };
      open.set(link, exchange);
      const timer = setTimeout(() => cutOff(response), msMax).unref();
      response.once('close', () => {
        clearTimeout(timer);
        if (open.get(link) === exchange) open.delete(link);
      });
      return true;
    },
    settle(link) {
      const exchange = open.get(link);
      if (exchange) exchange.isSettled = true;
    },
  };
}

/** The request knows its connection, also where the answer still waits for the one before it on the same connection. */
function cutOff({ req }: ServerResponse): void {
  req.socket.destroy();
}
