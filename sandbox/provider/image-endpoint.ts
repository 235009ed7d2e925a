/** One call for images from its first byte to its last: judged, worked on, billed, answered. */
import { createHash } from 'node:crypto';
import type { DeliverAnswer } from './answer-delivery.ts';
import type { GateKeeper } from './answer-gate.ts';
import type { Bill, BillingLog, BillOutcome } from './billing-log.ts';
import type { CallJudge } from './call-judge.ts';
import { refusalOf } from './call-judge.ts';
import type { ProviderCall } from './call-log.ts';
import type { Exchange } from './exchange.ts';
import { breakOff, wait } from './exchange.ts';
import type { EndingFault, FaultBook } from './faults.ts';
import type { FinishedWork, WorkOptions } from './image-work.ts';
import { doImageWork } from './image-work.ts';
import type { ImageEndpoint } from './parameters.ts';
import { costNanoUsd } from './price-table.ts';

export type ImageEndpointParts = {
  readonly judge: CallJudge;
  readonly faults: FaultBook;
  readonly gates: GateKeeper;
  readonly billing: BillingLog;
  readonly deliver: DeliverAnswer;
  readonly workOptions: WorkOptions;
  readonly latencyMs: (call: ProviderCall) => number;
  /** Of the models that are charged by the image. */
  readonly nanoUsdPerImage: Readonly<Record<string, number>>;
  readonly now: () => number;
};

/**
 * Answers one call. Resolves when the answer is written, or will never be.
 * @throws {ApiRefusal}
 */
export type AnswerImageCall = (exchange: Exchange, endpoint: ImageEndpoint, body: Buffer) => Promise<void>;

/** What the bill says becomes of the answer; undefined where there is no bill. */
function billedOutcome(ending: EndingFault | undefined): BillOutcome | undefined {
  switch (ending?.kind) {
    case undefined:
      return 'answered';
    case 'refuse':
    case 'reset':
      return undefined;
    case 'server-error':
    case 'html':
      return ending.billed === false ? undefined : ending.kind;
    case 'bill-then-drop':
      return 'dropped';
    case 'bill-then-hang':
      return 'hung';
    case 'bill-then-cut':
      return 'cut';
    case 'bill-then-stop-stream':
      return 'stream-stopped';
  }
}

function billFor(
  call: ProviderCall,
  work: FinishedWork,
  outcome: BillOutcome,
  { now, nanoUsdPerImage }: ImageEndpointParts,
): Bill {
  const { parameters, size, quality, usage, pictures } = work;
  const perImage = nanoUsdPerImage[parameters.model.id];
  return {
    at: now(),
    requestId: call.requestId,
    model: parameters.model.id,
    endpoint: parameters.endpoint,
    n: pictures.length,
    size: `${size.width}x${size.height}`,
    quality,
    usage,
    costNanoUsd: perImage === undefined ? costNanoUsd(parameters.model.generation, usage) : perImage * pictures.length,
    promptSha256: createHash('sha256').update(parameters.prompt).digest('hex'),
    safetyIdentifier: parameters.safetyIdentifier ?? null,
    outcome,
  };
}

export function createImageEndpoint(parts: ImageEndpointParts): AnswerImageCall {
  const { judge, gates } = parts;
  return async (exchange, endpoint, body) => {
    const { call } = exchange;
    const asked = await judge.readValidCall(exchange, endpoint, body);
    const plan = parts.faults.planFor(call);
    const { ending, shape } = plan;
    const { inputs } = asked;
    const parameters =
      shape.streaming === 'ignored' ? { ...asked.parameters, stream: false, partialImages: 0 } : asked.parameters;
    await wait(exchange, plan.startDelayMs);
    if (ending?.kind === 'reset') return breakOff(exchange, 'reset');
    const isRefusedMidStream = ending?.kind === 'refuse' && ending.midStream === true && parameters.stream;
    if (ending?.kind === 'refuse' && !isRefusedMidStream) {
      await wait(exchange, plan.headersDelayMs);
      throw refusalOf(ending, call);
    }
    judge.judgeRate(call);
    judge.judgeWords(call, 'input');
    await gates.pass(call, 'before-billing');
    // From here on nothing stops the work: a client that leaves is billed like one that stays.
    const work = await doImageWork(parameters, inputs, plan, parts.workOptions);
    if (!parameters.stream) await wait(exchange, parts.latencyMs(call));
    judge.judgeWords(call, 'output');
    const outcome = billedOutcome(ending);
    if (outcome !== undefined) {
      parts.billing.add(billFor(call, work, outcome, parts));
      call.isBilled = true;
    }
    await gates.pass(call, 'before-answer');
    await wait(exchange, plan.headersDelayMs);
    await parts.deliver(exchange, work, plan);
  };
}
