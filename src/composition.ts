import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createLedger } from './billing/ledger.ts';
import { openAiPrices } from './billing/openai-prices.ts';
import { createPriceBook } from './billing/prices.ts';
import type { ImageCommandParts } from './commands/image-command.ts';
import { createButtons, createCommands, createMenus, createModals } from './commands/index.ts';
import type { Config } from './config.ts';
import { storeLocationOf } from './config.ts';
import { createAttachmentLoader } from './discord/attachments.ts';
import { createDelivery } from './discord/delivery.ts';
import type { DiscordRest } from './discord/discord-rest.ts';
import { createDiscordRest } from './discord/discord-rest.ts';
import { createDraftedEdits } from './discord/drafted-edits.ts';
import type { JobLog } from './discord/job-log.ts';
import { createJobLog } from './discord/job-log.ts';
import { createLogChannel } from './discord/log-channel.ts';
import { createOriginalsSender } from './discord/originals-sender.ts';
import { createPaintDesk } from './discord/paint-desk.ts';
import { createPictureMemory } from './discord/picture-memory.ts';
import { createProgressMessages } from './discord/progress-message.ts';
import { createReplyEditor } from './discord/reply-editor.ts';
import { createRouter } from './discord/router.ts';
import { createUploadFitter } from './discord/upload-fitting.ts';
import { createVerbs } from './discord/verbs.ts';
import type { Metrics } from './http/metrics.ts';
import { createMetrics } from './http/metrics.ts';
import { PAINTER_PATH } from './http/server.ts';
import { createAdmission } from './services/admission.ts';
import type { BudgetWatch } from './services/budget-watch.ts';
import { createBudgetWatch } from './services/budget-watch.ts';
import { createChartRenderer } from './services/usage/chart-renderer.ts';
import { createClosingTime } from './services/closing-time.ts';
import { createEditDrafts } from './services/edit-drafts.ts';
import { createExportFiles } from './services/usage/export-files.ts';
import { createFairQueue } from './services/queue/fair-queue.ts';
import { budgetIn } from './services/guild-settings.ts';
import { createGuildSettingsStore } from './services/guild-settings-store.ts';
import { createHoldExpiry } from './services/hold-expiry.ts';
import { createImageJobs } from './services/image-jobs.ts';
import { createImagePreparation, STANDARD_IMAGE_LIMITS } from './services/images/image-preparation.ts';
import { createJobCompletion } from './services/job-completion.ts';
import type { JobEnd } from './services/job-conclusion.ts';
import { createJobConclusion } from './services/job-conclusion.ts';
import { createJobJournal } from './services/job-journal.ts';
import { createJobRecovery } from './services/job-recovery.ts';
import { createJobResumption } from './services/job-resumption.ts';
import { createKeptOriginals } from './services/kept-originals.ts';
import { createKeptResults } from './services/kept-results.ts';
import { createModelRoster } from './services/model-roster.ts';
import { createModelSuccession } from './services/model-succession.ts';
import { createPaintLinks } from './services/paint-links.ts';
import { createPaintPictures } from './services/paint-pictures.ts';
import { createPictureIntake } from './services/picture-intake.ts';
import { withOperatorAlarm } from './services/operator-alarm.ts';
import { takeProcessLease } from './services/process-lease.ts';
import { callDurationMsMax, createProviderCaller } from './services/provider-call.ts';
import { createModelCatalogue } from './services/providers/models.ts';
import { createOpenAiImages } from './services/providers/openai-images.ts';
import type { RecentIds } from './services/recent-ids.ts';
import { createRecentIds } from './services/recent-ids.ts';
import { createReservations } from './services/reservation.ts';
import { createResultPictures } from './services/result-pictures.ts';
import { createResultRecords } from './services/result-records.ts';
import { createSafetyIdentifiers } from './services/safety-identifiers.ts';
import { openSpool } from './services/spool/spool.ts';
import { createUsageReports } from './services/usage/usage-report.ts';
import { createUsageRollups } from './services/usage/usage-rollups.ts';
import { createUsageUpkeep } from './services/usage/usage-upkeep.ts';
import { isForManyMachines, openStore } from './storage/open-store.ts';

/** The composition root: every concrete part there is, built and joined with the others. */

const QUEUE_LENGTH_MAX = 500;
/** A reply can be edited for fifteen minutes; whoever waits longer for a turn could not be answered in it. */
const QUEUE_WAIT_MS_MAX = 10 * 60_000;
/** Pictures are worked on by two of the runtime's four threads; files and names need the others. */
const WORKSHOP_CONCURRENCY = 2;
const WORKSHOP_WAITING_MAX = 64;
/**
 * Where two processes are asked the same, the slower one gives up within seconds of the other's answer: far fewer jobs
 * than this end in that time.
 */
const ENDED_JOBS_MAX = 1_000;

/** What comes in from outside, so that no part reaches for it by itself. */
export type Outside = {
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Aborted as soon as the process is asked to stop. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
};

export type Parts = Awaited<ReturnType<typeof createParts>>;

/** Builds everything but the ways in. Nothing else names all of it. */
export async function createParts(config: Config, outside: Outside, isStarted: () => boolean) {
  const { log } = outside;
  const rest = createDiscordRest({ apiUrl: config.DISCORD_API_URL, token: config.DISCORD_TOKEN, now: outside.now });
  // The store and the provider are elsewhere, and neither needs to wait for the other.
  const [money, supply] = await Promise.all([createMoney(config, outside), createSupply(config, outside)]);
  const metrics = createMetrics();
  const logChannel = createLogChannel({ ...outside, rest: rest.patient });
  const jobLog = createJobLog({ ...outside, ...money, rest: rest.patient });
  const budgetWatch = createBudgetWatch({ ...outside, ...money, logChannel });
  const core = await createCore(config, outside, money, supply, { rest, metrics, budgetWatch, jobLog });
  const replies = createReplyEditor({ ...outside, rest: rest.patient, newsRest: rest.news });
  const attachments = createAttachmentLoader(config.ATTACHMENT_ORIGINS);
  const reporting = createReporting(config, outside, money);
  const progress = createProgressMessages({ ...outside, replies });
  const pictureMemory = createPictureMemory(outside.now);
  const exchange = { attachments, replies, progress };
  const painter = await createPainter(config, outside, { ...money, ...core, ...exchange, isStarted });
  const talk = { ...exchange, pictureMemory, logChannel, painting: painter?.painting };
  const parts = { ...outside, ...money, ...core, ...reporting, ...talk };
  const commands = createCommands(parts);
  const menus = createMenus(parts);
  const buttons = createButtons(parts);
  const verbs = createVerbs({ commands, menus, buttons, modals: createModals(parts), replies, log });
  const router = createRouter({ verbs, replies, acknowledgements: rest.acknowledgements, log });
  const schemas = [...commands, ...menus].map(({ schema }) => schema);
  return { rest, money, metrics, budgetWatch, jobLog, core, reporting, attachments, painter, router, schemas };
}

/** How what happens inside is seen outside. */
type Edge = {
  readonly rest: DiscordRest;
  readonly metrics: Metrics;
  readonly budgetWatch: BudgetWatch;
  readonly jobLog: JobLog;
};

/** The books, the prices, and what each server's administrators have decided. */
async function createMoney(config: Config, outside: Outside) {
  const { url, lockPath } = storeLocationOf(config);
  const store = await openStore(url, 'ledger', { log: outside.log, lockPath });
  const budgetMax = config.MAX_GUILD_BUDGET_USD;
  const settings = createGuildSettingsStore({ ...outside, store, budgetMax });
  const defaultBudget = config.DEFAULT_GUILD_BUDGET_USD;
  return {
    store,
    hasOtherMachines: isForManyMachines(url),
    ledger: createLedger({ ...outside, store }),
    settings,
    prices: createPriceBook(config.PRICES_FILE.prices, openAiPrices),
    defaultBudget,
    budgetMax,
    budgetOf: async (guild: string): Promise<number> => budgetIn(await settings.read(guild), defaultBudget),
  };
}

type Money = Awaited<ReturnType<typeof createMoney>>;

/** What administrators look at. Nothing that spends money depends on any of it. */
function createReporting(config: Config, outside: Outside, { ledger, store }: Money) {
  const rollups = createUsageRollups({ ledger, store });
  return {
    reports: createUsageReports(rollups),
    upkeep: createUsageUpkeep({ ...outside, ledger, rollups }),
    charts: createChartRenderer(),
    exports: createExportFiles({ ...outside, ledger, directory: join(config.DATA_DIR, 'exports') }),
  };
}

/** Everything between a command and its answer, from admission to delivery and recovery. */
async function createCore(config: Config, outside: Outside, money: Money, supply: Supply, edge: Edge) {
  const { provider, roster, queue, caller, closing } = supply;
  const lease = await takeProcessLease(join(config.DATA_DIR, 'processes'), randomUUID());
  const spool = await openSpool(join(config.DATA_DIR, 'spool'), undefined, () =>
    outside.log.error('the disk is full: a result that is paid for waits for room; make some below DATA_DIR'),
  );
  const receiptsDirectory = join(config.DATA_DIR, 'receipts');
  const journal = createJobJournal({ ...outside, spool, receiptsDirectory, owner: lease.owner });
  const preparation = createImagePreparation({
    concurrency: WORKSHOP_CONCURRENCY,
    waitingMax: WORKSHOP_WAITING_MAX,
    limits: STANDARD_IMAGE_LIMITS,
  });
  edge.metrics.watchQueue(queue);
  const fitter = createUploadFitter({ ...outside, preparation });
  const records = createResultRecords({ ...outside, ...money });
  const originals = createKeptOriginals({ ...outside, journal, spool });
  const ended = createRecentIds(ENDED_JOBS_MAX);
  const conclusion = createJobConclusion({
    ...outside,
    deliver: createDelivery({ ...outside, rest: edge.rest.patient, fitter }),
    journal,
    originals,
    onEnd: createEndWatch({ ...edge, ended }),
  });
  const pictures = createResultPictures({ ...outside, preparation });
  const completion = createJobCompletion({ ...outside, ...money, pictures, records });
  const { settings } = money;
  const memberRequestsPerMinute = config.MEMBER_REQUESTS_PER_MINUTE;
  const admission = createAdmission({ ...outside, roster, spool, settings, memberRequestsPerMinute });
  const holds = createHoldExpiry({ ...outside, ...money });
  const callMsMax = callDurationMsMax(config.PROVIDER_TIMEOUT_MS);
  const jobs = createImageJobs({
    ...outside,
    ...money,
    admission,
    intake: createPictureIntake({ ...outside, preparation, closing: closing.signal }),
    journal,
    reservations: createReservations({ ...outside, ...money, holds, callMsMax }),
    queue,
    caller: withOperatorAlarm(caller, outside),
    succession: createModelSuccession({ ...outside, ...money, roster, journal }),
    completion,
    conclusion,
  });
  const resumption = createJobResumption({ ...money, journal, completion });
  const work = { jobs, ended, conclusion, resumption };
  const recovery = createJobRecovery({ ...outside, ...work, journal, holds, lease, originals });
  const keptResults = createKeptResults({ ...outside, journal, lease, conclusion, resumption });
  const originalsSender = createOriginalsSender({ ...outside, rest: edge.rest.patient, preparation });
  return {
    admission,
    closing,
    jobs,
    keptResults,
    lease,
    originals,
    originalsSender,
    preparation,
    provider,
    records,
    recovery,
    roster,
    spool,
  };
}

/** What is needed to paint masks in a browser, and its pages; nothing where no browser could reach them. */
async function createPainter(
  config: Config,
  outside: Outside,
  parts: Pick<Money, 'store'> &
    Pick<Awaited<ReturnType<typeof createCore>>, 'jobs' | 'preparation'> &
    Pick<ImageCommandParts, 'attachments' | 'replies' | 'progress'> & { readonly isStarted: () => boolean },
) {
  const publicUrl = config.PUBLIC_URL;
  if (publicUrl === undefined) return undefined;
  // The page brings libraries along that a bot without an address has no use for.
  const [{ createPainterListener }, { readPainterFiles }] = await Promise.all([
    import('./http/painter.ts'),
    import('./http/painter-files.ts'),
  ]);
  const drafts = createEditDrafts({ ...outside, ...parts });
  const links = createPaintLinks({ publicUrl, key: keyOf(config) });
  const { attachments } = parts;
  const pictures = createPaintPictures({ ...parts, load: async (url) => attachments.load(url) });
  const edits = createDraftedEdits({ ...outside, ...parts });
  const desk = createPaintDesk({ drafts, pictures, edits });
  const pages = { ...outside, links, desk, files: readPainterFiles(), publicUrl, isOpen: parts.isStarted };
  const listener = createPainterListener(PAINTER_PATH, pages);
  return { painting: { drafts, links, pictures, edits }, listener, drain: async () => desk.drain() };
}

/** The provider, the models that it has, and the line in front of it. */
async function createSupply(config: Config, outside: Outside) {
  const provider = createOpenAiImages({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_BASE_URL,
    timeoutMs: config.PROVIDER_TIMEOUT_MS,
    resultOrigins: config.RESULT_ORIGINS,
  });
  const added = config.PRICES_FILE.models;
  const roster = await createModelRoster({
    ...outside,
    provider,
    catalogue: createModelCatalogue(added),
    // Whoever adds a model wants to use it; naming it in IMAGE_MODELS as well moves it further up.
    configured: [...config.IMAGE_MODELS, ...added.map(({ id }) => id)],
  });
  const limits = {
    concurrency: config.PROVIDER_CONCURRENCY,
    lengthMax: QUEUE_LENGTH_MAX,
    waitMsMax: QUEUE_WAIT_MS_MAX,
    imagesPerMinute: config.PROVIDER_IMAGES_PER_MINUTE,
  };
  const queue = createFairQueue(limits, outside.now);
  const closing = createClosingTime({ ...outside, callMsMax: config.PROVIDER_TIMEOUT_MS });
  closing.signal.addEventListener('abort', () => queue.close());
  const safetyIdentifierOf = createSafetyIdentifiers(keyOf(config));
  const caller = createProviderCaller({ ...outside, provider, queue, safetyIdentifierOf, closing: closing.signal });
  return { provider, roster, queue, caller, closing };
}

type Supply = Awaited<ReturnType<typeof createSupply>>;

/** Who hears of the end of every job: recovery, the metrics, whoever watches the budget, and the log channel. */
function createEndWatch({
  ended,
  metrics,
  budgetWatch,
  jobLog,
}: Edge & { readonly ended: RecentIds }): (end: JobEnd) => void {
  return (end) => {
    ended.note(end.job.request.id);
    metrics.countOutcome(end.outcome);
    void budgetWatch.observe(end.job, end.outcome);
    jobLog.tell(end);
  };
}

/** What only the operator knows, and what makes what Easel writes outside recognisable as its own. */
function keyOf({ MASTER_KEY, DISCORD_TOKEN }: Config): string {
  return MASTER_KEY ?? DISCORD_TOKEN;
}
