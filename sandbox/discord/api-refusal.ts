/** One fault of a request body, at the place where it stands. */
export type FormProblem = {
  readonly path: readonly (string | number)[];
  /** Discord's word for the kind of fault, such as BASE_TYPE_MAX_LENGTH. */
  readonly code: string;
  readonly message: string;
};

/** A request Discord answers with an error: its HTTP status, its JSON code and message. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly problems: readonly FormProblem[];

  constructor(status: number, code: number, message: string, problems: readonly FormProblem[] = []) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = status;
    this.code = code;
    this.problems = problems;
  }

  /** The JSON body of the answer, with Discord's nested `errors` where the form was at fault. */
  toBody(): Record<string, unknown> {
    const body: Record<string, unknown> = { message: this.message, code: this.code };
    if (this.problems.length > 0) body['errors'] = nestProblems(this.problems);
    return body;
  }
}

type ErrorTree = {
  children: Map<string, ErrorTree>;
  errors: { code: string; message: string }[];
};

function nestProblems(problems: readonly FormProblem[]): Record<string, unknown> {
  const root: ErrorTree = { children: new Map(), errors: [] };
  for (const { path, code, message } of problems) {
    let node = root;
    for (const step of path) {
      const next = node.children.get(String(step)) ?? { children: new Map(), errors: [] };
      node.children.set(String(step), next);
      node = next;
    }
    node.errors.push({ code, message });
  }
  return treeToJson(root);
}

function treeToJson(node: ErrorTree): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [step, child] of node.children) json[step] = treeToJson(child);
  if (node.errors.length > 0) json['_errors'] = node.errors;
  return json;
}

/** The refusals of Discord's "Opcodes and Status Codes" page that a bot like Easel can meet. */
export const refusals = {
  unauthorized: () => new ApiRefusal(401, 0, '401: Unauthorized'),
  noSuchRoute: () => new ApiRefusal(404, 0, '404: Not Found'),
  methodNotAllowed: () => new ApiRefusal(405, 0, '405: Method Not Allowed'),
  invalidJson: () => new ApiRefusal(400, 50109, 'The request body contains invalid JSON.'),
  unknownApplication: () => new ApiRefusal(404, 10002, 'Unknown Application'),
  unknownChannel: () => new ApiRefusal(404, 10003, 'Unknown Channel'),
  unknownGuild: () => new ApiRefusal(404, 10004, 'Unknown Guild'),
  unknownMessage: () => new ApiRefusal(404, 10008, 'Unknown Message'),
  unknownUser: () => new ApiRefusal(404, 10013, 'Unknown User'),
  unknownWebhook: () => new ApiRefusal(404, 10015, 'Unknown Webhook'),
  unknownInteraction: () => new ApiRefusal(404, 10062, 'Unknown interaction'),
  tooLarge: () => new ApiRefusal(413, 40005, 'Request entity too large'),
  alreadyAcknowledged: () => new ApiRefusal(400, 40060, 'Interaction has already been acknowledged.'),
  missingAccess: () => new ApiRefusal(403, 50001, 'Missing Access'),
  notYourMessage: () => new ApiRefusal(403, 50005, 'Cannot edit a message authored by another user'),
  emptyMessage: () => new ApiRefusal(400, 50006, 'Cannot send an empty message'),
  directMessagesClosed: () => new ApiRefusal(403, 50007, 'Cannot send messages to this user'),
  missingPermissions: () => new ApiRefusal(403, 50013, 'Missing Permissions'),
  invalidWebhookToken: () => new ApiRefusal(401, 50027, 'Invalid Webhook Token'),
  invalidForm: (problems: readonly FormProblem[]) => new ApiRefusal(400, 50035, 'Invalid Form Body', problems),
} as const;
