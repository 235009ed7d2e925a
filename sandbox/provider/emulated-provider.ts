/**
 * Stands in for OpenAI's Images API on the loopback interface: as strict as the original, with bills of its own, and
 * with every failure of the original to order. It never speaks to anybody else.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AnswerGate, GateOptions } from './answer-gate.ts';
import { createGateKeeper } from './answer-gate.ts';
import { ApiRefusal } from './api-refusal.ts';
import type { Bill } from './billing-log.ts';
import { createBillingLog } from './billing-log.ts';
import type { CallEnd, ProviderCall } from './call-log.ts';
import { createCallLog, describeRequest } from './call-log.ts';
import type { Exchange } from './exchange.ts';
import { sendRefusal } from './exchange.ts';
import type { Fault, FaultHandle } from './faults.ts';
import { createFaultBook } from './faults.ts';
import type { EmulatedProviderOptions } from './provider-options.ts';
import type { FileRequest } from './result-files.ts';
import { createResultFiles, listenOnLoopback } from './result-files.ts';
import { createRouter } from './router.ts';

export type EmulatedProvider = {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** The origin with `/v1`, as SDKs want it. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Opens the organization's costs, and nothing else. */
  readonly adminKey: string;
  /** Every call billed, in order. */
  readonly bills: readonly Bill[];
  /** Every request received, in order, billed or not; requests for result files apart. */
  readonly calls: readonly ProviderCall[];
  /** Every request for a result file. */
  readonly fileRequests: readonly FileRequest[];
  /** Calls under way, held and hung ones included. */
  readonly inFlight: number;
  readonly faults: { add(fault: Fault): FaultHandle; clear(): void };
  /** Holds calls from now on until the gate releases them. */
  holdAnswers(options?: GateOptions): AnswerGate;
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
  /** Serves result files at a second origin too, and returns it; for `urlOrigin`. */
  openOtherOrigin(): Promise<string>;
  /**
   * Breaks all connections off and stops.
   * @throws {AggregateError} when the emulator itself failed on a call, so that no test passes for the wrong reason
   */
  close(): Promise<void>;
};

const recordsKeptMaxDefault = 100_000;

/** How a call ended, once its connection or its answer has. */
function endOf({ response, call, forcedEnd }: Exchange): CallEnd {
  if (forcedEnd !== undefined) return forcedEnd;
  if (!response.writableFinished) return 'client-gone';
  return call.status !== undefined && call.status >= 400 ? 'refused' : 'answered';
}

/** A failure of the emulator itself, told openly so that a test shows it at once. */
function emulatorFailure(error: unknown): ApiRefusal {
  const message = `The emulated provider itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return new ApiRefusal(500, { message, type: 'emulator_failure', param: null, code: 'emulator_failure' });
}

/** Starts a provider. Close it after use. */
export async function createEmulatedProvider(options: EmulatedProviderOptions = {}): Promise<EmulatedProvider> {
  const now = options.now ?? Date.now;
  const apiKey = options.apiKey ?? `sk-emulated-${randomBytes(16).toString('hex')}`;
  const adminKey = options.adminKey ?? `sk-admin-emulated-${randomBytes(16).toString('hex')}`;
  const recordsKeptMax = options.recordsKeptMax ?? recordsKeptMaxDefault;
  const log = createCallLog(recordsKeptMax);
  const billing = createBillingLog(options.billingLogPath, recordsKeptMax);
  const faults = createFaultBook(options.answerShape ?? {});
  const gates = createGateKeeper();
  const files = createResultFiles();
  const bugs: unknown[] = [];
  const closing = new AbortController();
  const answer = createRouter({ options, apiKey, adminKey, now, billing, faults, gates, files, origin: () => origin });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const call = describeRequest(request, now());
    const exchange: Exchange = { request, response, call, closing: closing.signal, forcedEnd: undefined };
    log.open(call);
    try {
      await answer(exchange);
    } catch (error) {
      if (error instanceof ApiRefusal) await sendRefusal(exchange, error);
      // A wait that the provider's own end cut short, or a client that left amid its upload, is nobody's bug.
      else if (closing.signal.aborted || request.errored !== null) response.destroy();
      else {
        bugs.push(error);
        if (response.headersSent) response.destroy();
        else await sendRefusal(exchange, emulatorFailure(error));
      }
    }
    await closed;
    log.close(call, endOf(exchange));
  }

  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url?.startsWith('/files/') === true) files.serve(request, response);
    else serve(request, response).catch((error: unknown) => bugs.push(error));
  });
  const origin = await listenOnLoopback(server, options.port ?? 0);
  return {
    origin,
    baseUrl: `${origin}/v1`,
    apiKey,
    adminKey,
    bills: billing.bills,
    calls: log.calls,
    fileRequests: files.requests,
    get inFlight() {
      return log.inFlight;
    },
    faults,
    holdAnswers: (gateOptions) => gates.shut(gateOptions),
    idle: () => log.idle(),
    openOtherOrigin: () => files.openOtherOrigin(),
    async close() {
      closing.abort();
      gates.openAll();
      files.close();
      server.close();
      server.closeAllConnections();
      await log.idle();
      if (bugs.length > 0) throw new AggregateError(bugs, 'The emulated provider failed.');
    },
  };
}
