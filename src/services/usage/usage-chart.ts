import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import type * as echarts from 'echarts';
import type {
  BarSeriesOption,
  EChartsOption,
  LegendComponentOption,
  LineSeriesOption,
  TitleComponentOption,
  XAXisComponentOption,
  YAXisComponentOption,
} from 'echarts';
import type { NanoUsd } from '../../billing/money.ts';
import type { DollarMarks } from './dollar-marks.ts';
import { decimalsFor, formatDollars, roundMarks } from './dollar-marks.ts';
import type { UsageChart } from './usage-chart-data.ts';

/**
 * Draws a month: above, what was spent so far, and the budget; below, what each day cost, by model. The same picture
 * comes out on every machine, because the fonts come along and those of the machine are left alone.
 */

/** The bundle is loaded ten times as fast as the library's hundreds of modules, and has the same exports. */
const { init, setPlatformAPI }: Pick<typeof echarts, 'init' | 'setPlatformAPI'> = createRequire(import.meta.url)(
  'echarts/dist/echarts.common.min',
);

/** On a page, in CSS pixels; the picture has twice as many each way, for screens that show them. */
const WIDTH = 640;
const HEIGHT_WITHOUT_LEGEND = 386;
const PIXEL_DENSITY = 2;

const FONT_FAMILY = 'Inter';
/** The last one has the Japanese letters that the others lack. */
const FONT_FILES = [
  import.meta.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
  import.meta.resolve('@expo-google-fonts/sawarabi-gothic/400Regular/SawarabiGothic_400Regular.ttf'),
].map((url) => fileURLToPath(url));
const FONT_SIZE = 13;
const TITLE_FONT_SIZE = 20;

/** Colours that stand out on dark grey, beside each other and to people who see few of them. */
const MODEL_COLOURS = ['#7d8cff', '#43c59e', '#f2a65a', '#e56b9a', '#58b7f0', '#a8b0bd'];
const COLOUR = {
  background: '#1e1f22',
  text: '#f2f3f5',
  quiet: '#a3a9b3',
  grid: '#313338',
  budget: '#d0d4dc',
  total: '#7d8cff',
  usedUp: '#f0616d',
} as const;

const MARGIN = 28;
/** Where the panels begin; the labels of their axes stand left of it. */
const PANEL_LEFT = 76;
const TOTAL_PANEL = { left: PANEL_LEFT, right: MARGIN, top: 90, height: 84 } as const;
const DAILY_PANEL = { left: PANEL_LEFT, right: MARGIN, top: 234, height: 112 } as const;
/** The middle of the panels. */
const EMPTY_LEFT = (PANEL_LEFT + WIDTH - MARGIN) / 2;
const TOTAL_CAPTION_TOP = 60;
const DAILY_CAPTION_TOP = 202;
const LEGEND_WIDTH = WIDTH - 2 * MARGIN;
const LEGEND_ROW_HEIGHT = 26;
const LEGEND_ICON_SIZE = 11;
/** Between an icon and its name, which is the library's own. */
const LEGEND_ICON_GAP = 5;
const LEGEND_ITEM_GAP = 18;
/** How wide a letter of a model's name is on average, as a share of the font's size. */
const LETTER_WIDTH = 0.54;
const DAILY_MARKS = 3;

// Without a browser the library does not know how wide a text is in our font.
setPlatformAPI({ measureText: (text) => ({ width: widthOf(text) }) });

/** @returns a PNG, 1280 pixels wide */
export function drawUsageChart(chart: UsageChart): Uint8Array {
  const renderer = new Resvg(drawSvg(chart), {
    fitTo: { mode: 'zoom', value: PIXEL_DENSITY },
    font: { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: FONT_FAMILY },
  });
  return renderer.render().asPng();
}

function drawSvg(chart: UsageChart): string {
  const height = HEIGHT_WITHOUT_LEGEND + legendRows(chart) * LEGEND_ROW_HEIGHT;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    canvas.setOption(describeChart(chart));
    return canvas.renderToSVGString();
  } finally {
    canvas.dispose();
  }
}

function describeChart(chart: UsageChart): EChartsOption {
  const totals = runningTotals(chart);
  return {
    animation: false,
    backgroundColor: COLOUR.background,
    color: MODEL_COLOURS,
    textStyle: { fontFamily: FONT_FAMILY },
    title: describeTitles(chart),
    legend: describeLegend(chart),
    grid: [TOTAL_PANEL, DAILY_PANEL],
    xAxis: [describeDays(chart, { panel: 0 }), describeDays(chart, { panel: 1 })],
    yAxis: [describeTotalDollars(chart, totals), describeDailyDollars(chart)],
    series: [drawTotal(chart, totals), ...drawDays(chart)],
  };
}

/** What was spent up to the end of each day that has begun. */
function runningTotals({ models, elapsedDays }: UsageChart): readonly NanoUsd[] {
  let total = 0;
  return Array.from({ length: elapsedDays }, (_, index) => {
    for (const { costs } of models) total += costs[index] ?? 0;
    return total;
  });
}

function describeTitles({ labels, spent, models }: UsageChart): TitleComponentOption[] {
  const heading = { color: COLOUR.text, fontSize: TITLE_FONT_SIZE, fontWeight: 600 } as const;
  const caption = { color: COLOUR.quiet, fontSize: FONT_SIZE, fontWeight: 400 } as const;
  const emptyTop = DAILY_PANEL.top + DAILY_PANEL.height / 2 - FONT_SIZE;
  return [
    { left: MARGIN, top: 22, padding: 0, text: labels.month, textStyle: heading },
    {
      left: WIDTH - MARGIN,
      textAlign: 'right',
      top: 22,
      padding: 0,
      text: spent,
      textStyle: heading,
    },
    { left: MARGIN, top: TOTAL_CAPTION_TOP, padding: 0, text: labels.runningTotal, textStyle: caption },
    { left: MARGIN, top: DAILY_CAPTION_TOP, padding: 0, text: labels.byDay, textStyle: caption },
    ...(models.length > 0
      ? []
      : [
          {
            left: EMPTY_LEFT,
            textAlign: 'center',
            top: emptyTop,
            padding: 0,
            text: labels.nothingSpent,
            textStyle: caption,
          } as const,
        ]),
  ];
}

function describeLegend({ models }: UsageChart): LegendComponentOption {
  return {
    show: models.length > 0,
    data: models.map(({ name }) => name),
    left: MARGIN,
    width: LEGEND_WIDTH,
    bottom: 16,
    padding: 0,
    icon: 'roundRect',
    itemWidth: LEGEND_ICON_SIZE,
    itemHeight: LEGEND_ICON_SIZE,
    itemGap: LEGEND_ITEM_GAP,
    textStyle: { color: COLOUR.quiet, fontSize: FONT_SIZE },
  };
}

/** How many rows the names of the models take; a row begins where the next name does not fit. */
function legendRows({ models }: UsageChart): number {
  let rows = 0;
  let left = 0;
  for (const { name } of models) {
    const width = LEGEND_ICON_SIZE + LEGEND_ICON_GAP + widthOf(name);
    if (width > left) {
      rows += 1;
      left = LEGEND_WIDTH;
    }
    left -= width + LEGEND_ITEM_GAP;
  }
  return rows;
}

function widthOf(text: string): number {
  return text.length * FONT_SIZE * LETTER_WIDTH;
}

function describeDays({ dayCount }: UsageChart, { panel }: { readonly panel: number }): XAXisComponentOption {
  return {
    type: 'category',
    gridIndex: panel,
    data: Array.from({ length: dayCount }, (_, index) => String(index + 1)),
    axisLine: { lineStyle: { color: COLOUR.grid } },
    axisTick: { show: false },
    axisLabel: {
      show: panel === 1,
      color: COLOUR.quiet,
      fontSize: FONT_SIZE,
      margin: 10,
      interval: (index: number) => index === 0 || (index + 1) % 5 === 0,
    },
  };
}

/** From nothing to the budget, or to what was spent where that is more. */
function describeTotalDollars({ budget = 0 }: UsageChart, totals: readonly NanoUsd[]): YAXisComponentOption {
  const top = Math.max(budget, ...totals) || 1;
  return {
    ...dollarAxis({ min: Math.min(0, ...totals), max: top, step: top }),
    gridIndex: 0,
    splitLine: { show: false },
  };
}

/** At a few round marks; corrections may bring a day below nothing. */
function describeDailyDollars({ models, dayCount }: UsageChart): YAXisComponentOption {
  const sums = Array.from({ length: dayCount }, (_, day) =>
    models.reduce((sum, { costs }) => sum + (costs[day] ?? 0), 0),
  );
  const axis = dollarAxis(roundMarks(sums, DAILY_MARKS));
  return {
    ...axis,
    gridIndex: 1,
    axisLabel: { ...axis.axisLabel, show: models.length > 0 },
    splitLine: { lineStyle: { color: COLOUR.grid } },
  };
}

function dollarAxis({ min, max, step }: DollarMarks): YAXisComponentOption & { type: 'value' } {
  return {
    type: 'value',
    min,
    max,
    interval: step,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      color: COLOUR.quiet,
      fontSize: FONT_SIZE,
      margin: 12,
      formatter: (amount: number) => formatDollars(amount, decimalsFor(step)),
    },
  };
}

/** The line of what was spent, with a point on the last day, and that of the budget. */
function drawTotal({ models, budget, isUsedUp, labels }: UsageChart, totals: readonly NanoUsd[]): LineSeriesOption {
  const colour = isUsedUp ? COLOUR.usedUp : COLOUR.total;
  return {
    type: 'line',
    xAxisIndex: 0,
    yAxisIndex: 0,
    data:
      models.length === 0
        ? []
        : totals.map((value, index) => ({ value, symbolSize: index + 1 < totals.length ? 0 : 8 })),
    symbol: 'circle',
    itemStyle: { color: colour },
    lineStyle: { color: colour, width: 2.5 },
    areaStyle: { color: colour, opacity: 0.16 },
    ...(budget === undefined
      ? {}
      : {
          markLine: {
            silent: true,
            symbol: 'none',
            data: [{ yAxis: budget }],
            lineStyle: { color: isUsedUp ? COLOUR.usedUp : COLOUR.budget, type: [5, 4], width: 1.5 },
            label: {
              show: true,
              position: 'insideStartBottom',
              formatter: labels.budget,
              color: COLOUR.budget,
              fontSize: FONT_SIZE,
            },
          },
        }),
  };
}

function drawDays({ models }: UsageChart): BarSeriesOption[] {
  return models.map(({ name, costs }) => ({
    type: 'bar',
    name,
    stack: 'models',
    xAxisIndex: 1,
    yAxisIndex: 1,
    barMaxWidth: 14,
    data: [...costs],
  }));
}
