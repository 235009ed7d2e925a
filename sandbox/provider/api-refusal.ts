/**
 * The refusals of the Images API, word for word in the shape that clients parse.
 * A refused call is never billed.
 */

/** The `error` object of a refusal's body. */
export type WireError = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly moderation_details?: { readonly moderation_stage: 'input' | 'output' };
};

/** Thrown wherever a request turns out to be refusable; becomes the answer in one place. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly error: WireError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: WireError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** What a refusal's text may need to know about the call. */
export type RefusalFacts = {
  readonly requestId: string;
  readonly model: string;
  /** Sent as the Retry-After header where given. */
  readonly retryAfterSeconds?: number | undefined;
  /** Said in the message ("Please try again in 12s.") where given. */
  readonly tryAgainInSeconds?: number | undefined;
};

type RefusalTemplate = {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param?: string;
  readonly moderationStage?: 'input' | 'output';
  readonly message: (facts: RefusalFacts) => string;
};

function safetyMessage(facts: RefusalFacts): string {
  return (
    'Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com ' +
    `and include the request ID ${facts.requestId}. safety_violations=[violence].`
  );
}

function waitSentence(facts: RefusalFacts): string {
  return facts.tryAgainInSeconds === undefined ? '' : ` Please try again in ${facts.tryAgainInSeconds}s.`;
}

/** An account that has run out, in the six ways in which that is said. */
function outOfMoney(code: string, message: string): RefusalTemplate {
  return { status: 429, type: code, code, message: () => message };
}

const templates = {
  moderation_blocked_input: {
    status: 400,
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    moderationStage: 'input',
    message: safetyMessage,
  },
  moderation_blocked_output: {
    status: 400,
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    moderationStage: 'output',
    message: safetyMessage,
  },
  content_policy_violation: {
    status: 400,
    type: 'invalid_request_error',
    code: 'content_policy_violation',
    message: () =>
      'Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed.',
  },
  invalid_image_file: {
    status: 400,
    type: 'image_generation_user_error',
    code: 'invalid_image_file',
    param: 'image',
    message: () => 'Invalid image file or mode for image 1, please check your image file.',
  },
  unsupported_file_mimetype: {
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_file_mimetype',
    param: 'image',
    message: () =>
      "Invalid file 'image': unsupported mimetype ('application/octet-stream'). " +
      "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
  },
  /** How a compatible provider that knows no streams answers to whoever asks for one. */
  unknown_parameter_stream: {
    status: 400,
    type: 'invalid_request_error',
    code: 'unknown_parameter',
    param: 'stream',
    message: () => "Unknown parameter: 'stream'.",
  },
  billing_hard_limit_reached: {
    status: 400,
    type: 'billing_limit_user_error',
    code: 'billing_hard_limit_reached',
    message: () => 'Billing hard limit has been reached.',
  },
  invalid_api_key: {
    status: 401,
    type: 'invalid_request_error',
    code: 'invalid_api_key',
    message: () =>
      'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
  },
  unverified_organization: {
    status: 403,
    type: 'invalid_request_error',
    code: null,
    message: (facts) =>
      `Your organization must be verified to use the model \`${facts.model}\`. Please go to: ` +
      'https://platform.openai.com/settings/organization/general and click on Verify Organization. ' +
      'If you just verified, it can take up to 15 minutes for access to propagate.',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    param: 'model',
    message: (facts) => `The model '${facts.model}' does not exist or you do not have access to it.`,
  },
  insufficient_quota: outOfMoney(
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
  ),
  credit_balance_exhausted: outOfMoney('credit_balance_exhausted', 'Your credit balance is exhausted.'),
  organization_spend_limit_exceeded: outOfMoney(
    'organization_spend_limit_exceeded',
    'Your organization has reached its spend limit.',
  ),
  project_spend_limit_exceeded: outOfMoney('project_spend_limit_exceeded', 'This project has reached its spend limit.'),
  organization_usage_limit_exceeded: outOfMoney(
    'organization_usage_limit_exceeded',
    'Your organization has reached its usage limit.',
  ),
  rate_limit_exceeded: {
    status: 429,
    type: 'input-images',
    code: 'rate_limit_exceeded',
    message: (facts) =>
      `Rate limit reached for ${facts.model} in organization org-emulated on images per minute.${waitSentence(facts)}`,
  },
  slow_down: {
    status: 429,
    type: 'rate_limit_error',
    code: 'slow_down',
    message: (facts) => `Requests are arriving too quickly, please slow down.${waitSentence(facts)}`,
  },
} satisfies Record<string, RefusalTemplate>;

/** The refusals that can be asked for by name. */
export type RefusalName = keyof typeof templates;

/** Builds the named refusal for one call. */
export function refusal(name: RefusalName, facts: RefusalFacts): ApiRefusal {
  const template: RefusalTemplate = templates[name];
  const headers = facts.retryAfterSeconds === undefined ? {} : { 'retry-after': String(facts.retryAfterSeconds) };
  return new ApiRefusal(
    template.status,
    {
      message: template.message(facts),
      type: template.type,
      param: template.param ?? null,
      code: template.code,
      ...(template.moderationStage === undefined
        ? {}
        : { moderation_details: { moderation_stage: template.moderationStage } }),
    },
    headers,
  );
}

/** A request that breaks a rule of a parameter: HTTP 400 that names the parameter. */
export function invalidParameter(param: string | null, code: string, message: string): ApiRefusal {
  return new ApiRefusal(400, { message, type: 'invalid_request_error', param, code });
}

/** The error object of a failure on the provider's own side. */
export function serverError(status: 500 | 502 | 503, requestId: string): ApiRefusal {
  const code = status === 503 ? 'server_is_overloaded' : 'server_error';
  return new ApiRefusal(status, {
    message: `The server had an error while processing your request. Please include the request ID ${requestId} in your message.`,
    type: 'server_error',
    param: null,
    code,
  });
}
