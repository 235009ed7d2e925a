import { createHmac, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Ledger } from './billing/ledger.ts';
import { createLedger } from './billing/ledger.ts';
import { openAiPrices } from './billing/prices.ts';
import { createButtons, createCommands } from './commands/index.ts';
import type { Config } from './config.ts';
import { createAttachmentLoader } from './discord/attachments.ts';
import { createDelivery } from './discord/delivery.ts';
import type { DiscordRest } from './discord/discord-rest.ts';
import { createDiscordRest } from './discord/discord-rest.ts';
import { connectGateway } from './discord/gateway.ts';
import { registerCommands } from './discord/register-commands.ts';
import { createReplyEditor } from './discord/reply-editor.ts';
import { createRouter } from './discord/router.ts';
import { createUploadFitter } from './discord/upload-fitting.ts';
import type { Metrics } from './http/metrics.ts';
import { createMetrics } from './http/metrics.ts';
import { startHttpServer } from './http/server.ts';
import { createAdmission } from './services/admission.ts';
import { createFairQueue } from './services/fair-queue.ts';
import { createImageJobs } from './services/image-jobs.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from './services/image-preparation.ts';
import { createJobCompletion } from './services/job-completion.ts';
import { createJobConclusion } from './services/job-conclusion.ts';
import { createJobJournal } from './services/job-journal.ts';
import { createJobRecovery } from './services/job-recovery.ts';
import { createJobResumption } from './services/job-resumption.ts';
import { createKeptResults } from './services/kept-results.ts';
import { createModelRoster } from './services/model-roster.ts';
import { createModelSuccession } from './services/model-succession.ts';
import { createPictureIntake } from './services/picture-intake.ts';
import { createAlarmingCaller } from './services/operator-alarm.ts';
import { takeProcessLease } from './services/process-lease.ts';
import { callDurationMsMax, createProviderCaller } from './services/provider-call.ts';
import { createOpenAiImages } from './services/providers/openai-images.ts';
import { createReservations } from './services/reservation.ts';
import { createResultPictures } from './services/result-pictures.ts';
import { openSpool } from './services/spool.ts';
import { createUsageReports } from './services/usage-report.ts';
import { openStore } from './storage/store.ts';

/** A running Easel. */
export type App = {
  /** Takes no more commands, finishes what is under way, and lets go of everything. */
  stop(): Promise<void>;
};

const RECOVERY_INTERVAL_MS = 60_000;
const MODEL_REFRESH_INTERVAL_MS = 60 * 60_000;
const QUEUE_LENGTH_MAX = 500;
/** A reply can be edited for fifteen minutes; whoever waits longer for a turn could not be answered in it. */
const QUEUE_WAIT_MS_MAX = 10 * 60_000;
/** Pictures are worked on by two of the runtime's four threads; files and names need the others. */
const WORKSHOP_CONCURRENCY = 2;
const WORKSHOP_WAITING_MAX = 64;

/** Builds everything and starts it. This is the only place that names every concrete part. */
export async function startApp(config: Config, log: Logger, onLost: () => void): Promise<App> {
  const now = Date.now;
  const rest = createDiscordRest({ apiUrl: config.DISCORD_API_URL, token: config.DISCORD_TOKEN });
  const store = await openStore(config.STORE_URL ?? `sqlite:${join(config.DATA_DIR, 'easel.sqlite')}`, 'ledger');
  const ledger = createLedger({ store, now, random: Math.random, sleep });
  const metrics = createMetrics();
  const core = await createCore(config, { ledger, rest, metrics, now, log });
  metrics.watchQueue(core.queue);
  const replies = createReplyEditor({ rest: rest.patient, sleep, log });
  const attachments = createAttachmentLoader(config.ATTACHMENT_ORIGINS);
  const parts = { ...core, ledger, reports: createUsageReports(ledger), attachments, replies, now };
  const commands = createCommands(parts);
  const router = createRouter({ commands, buttons: createButtons(parts), replies, log });
  const { gateway, client } = await connectGateway({
    token: config.DISCORD_TOKEN,
    rest: rest.quickOptions,
    onInteraction: (interaction) => void router.handle(interaction),
    onLost,
    log,
  });
  await registerCommands({
    rest: client.rest,
    apiUrl: config.DISCORD_API_URL,
    applicationId: gateway.applicationId,
    commands: commands.map(({ schema }) => schema),
    recordPath: join(config.DATA_DIR, 'registered-commands'),
    log,
  });
  const server = await startHttpServer({
    host: config.HTTP_HOST,
    port: config.HTTP_PORT,
    metrics,
    health: { isReady: async () => gateway.isConnected() && (await store.isWritable()) },
  });
  const timers = [
    setInterval(() => void core.recovery.sweep(), RECOVERY_INTERVAL_MS),
    setInterval(() => void core.roster.refresh(), MODEL_REFRESH_INTERVAL_MS),
  ];
  log.info({ applicationId: gateway.applicationId, httpPort: server.port }, 'ready');
  const recovering = core.recovery.recoverAll();

  return {
    async stop() {
      timers.forEach((timer) => clearInterval(timer));
      await gateway.disconnect();
      core.admission.close();
      await router.drain();
      await recovering;
      await core.recovery.whenIdle();
      await server.close();
      await Promise.all([rest.close(), attachments.close(), store.close()]);
      core.lease.release();
    },
  };
}

/** Everything between a command and its answer that knows no Discord, and the one part that delivers. */
async function createCore(
  config: Config,
  base: { ledger: Ledger; rest: DiscordRest; metrics: Metrics; now: () => number; log: Logger },
) {
  const { ledger, now, log } = base;
  const lease = await takeProcessLease(join(config.DATA_DIR, 'processes'), randomUUID());
  const spool = await openSpool(join(config.DATA_DIR, 'spool'));
  const receiptsDirectory = join(config.DATA_DIR, 'receipts');
  const journal = createJobJournal({ spool, receiptsDirectory, owner: lease.owner, now });
  const preparation = createImagePreparation({
    concurrency: WORKSHOP_CONCURRENCY,
    waitingMax: WORKSHOP_WAITING_MAX,
    limits: STANDARD_IMAGE_LIMITS,
  });
  const provider = createOpenAiImages({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_BASE_URL,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
    resultOrigins: config.RESULT_ORIGINS,
  });
  const roster = await createModelRoster({ provider, configured: config.IMAGE_MODELS, now, log });
  const queue = createFairQueue(
    {
      concurrency: config.PROVIDER_CONCURRENCY,
      lengthMax: QUEUE_LENGTH_MAX,
      waitMsMax: QUEUE_WAIT_MS_MAX,
      imagesPerMinute: config.PROVIDER_IMAGES_PER_MINUTE,
    },
    now,
  );
  const budgetOf = (): number => config.DEFAULT_GUILD_BUDGET_USD;
  const completion = createJobCompletion({
    ledger,
    prices: openAiPrices,
    pictures: createResultPictures({ preparation, sleep, log }),
  });
  const admission = createAdmission({
    roster,
    spool,
    memberRequestsPerMinute: config.MEMBER_REQUESTS_PER_MINUTE,
  });
  const fitter = createUploadFitter({ preparation, sleep });
  const deliver = createDelivery({ rest: base.rest.patient, fitter, sleep, log });
  const conclusion = createJobConclusion({ deliver, journal, onEnd: base.metrics.countOutcome, now, log });
  const caller = createProviderCaller({
    provider,
    queue,
    safetyIdentifierOf: createSafetyIdentifiers(config.MASTER_KEY ?? config.DISCORD_TOKEN),
    now,
    sleep,
    log,
  });
  const jobs = createImageJobs({
    admission,
    intake: createPictureIntake(preparation),
    journal,
    prices: openAiPrices,
    reservations: createReservations({
      ledger,
      budgetOf,
      callMsMax: callDurationMsMax(config.PROVIDER_TIMEOUT_MS),
      now,
      log,
    }),
    queue,
    caller: createAlarmingCaller(caller, { now, log }),
    succession: createModelSuccession({ roster, journal, prices: openAiPrices }),
    completion,
    conclusion,
    log,
  });
  const resumption = createJobResumption({ journal, ledger, completion });
  const recovery = createJobRecovery({ journal, ledger, lease, jobs, conclusion, resumption, now, log });
  const keptResults = createKeptResults({ journal, conclusion, resumption, now });
  return { admission, budgetOf, jobs, keptResults, lease, queue, recovery, roster };
}

/** The same member always has the same identifier, and nobody without the key can tell whose it is. */
function createSafetyIdentifiers(key: string): (member: string) => string {
  return (member) => createHmac('sha256', key).update(`safety-identifier:${member}`).digest('hex');
}
