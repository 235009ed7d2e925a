import { createClient } from '@keyv/redis';
import type { Books } from '../audit.ts';
import { sortBooks } from '../audit.ts';

/** What Keyv's adapter puts between a namespace and a key. */
const SEPARATOR = '::';

/** Reads the books that lie in a namespace of a Redis server. */
export async function readRedisBooks(url: string, namespace: string): Promise<Books> {
  const client = createClient({ url });
  await client.connect();
  try {
    const rows: (readonly [key: string, text: string])[] = [];
    for (const name of await client.keys(`${namespace}${SEPARATOR}*`)) {
      rows.push([name.slice(namespace.length + SEPARATOR.length), (await client.get(name)) ?? '']);
    }
    return sortBooks(rows.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  } finally {
    await client.close();
  }
}
