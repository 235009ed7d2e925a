import type { Route } from './route.ts';

/** A route and the values in its path. */
export type MatchedRoute = {
  readonly route: Route;
  readonly parameter: (name: string) => string;
};

/** Finds the route of a method and a path below the version; literal parts win over parameters. */
export function createRouteTable(routes: readonly Route[]): (method: string, path: string) => MatchedRoute | undefined {
  const entries = routes
    .map((route) => ({ route, parts: route.template.split('/') }))
    .toSorted((left, right) => countParameters(left.parts) - countParameters(right.parts));
  return (method, path) => {
    const parts = path.split('/');
    const entry = entries.find((candidate) => candidate.route.method === method && fits(candidate.parts, parts));
    if (entry === undefined) return undefined;
    const values = new Map(
      entry.parts.flatMap((part, index): [string, string][] =>
        isParameter(part) ? [[part.slice(1, -1), decodePart(parts[index])]] : [],
      ),
    );
    return {
      route: entry.route,
      parameter(name) {
        const value = values.get(name);
        if (value === undefined) throw new Error(`The route ${entry.route.template} has no parameter ${name}.`);
        return value;
      },
    };
  };
}

function fits(template: readonly string[], parts: readonly string[]): boolean {
  return (
    template.length === parts.length &&
    template.every((part, index) =>
      isParameter(part) ? (parts[index] ?? '') !== '' : part === decodePart(parts[index]),
    )
  );
}

/** A part that is not valid percent-encoding stands for itself and fits nothing. */
function decodePart(part = ''): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function isParameter(part: string): boolean {
  return part.startsWith('{');
}

function countParameters(parts: readonly string[]): number {
  return parts.filter(isParameter).length;
}
