import { setTimeout as delay } from 'node:timers/promises';
import { createIdentity, openIdentity } from '../src/peer/identity/identity';
import type { BenchContext, Benchmark, Goal, Report, Series } from './harness';
import { type JoiningWindow, leave, openJoiningWindow, pasteInvite } from './joining';
import type { Gap, ProbeSample } from './probeProtocol';
import { readMemory } from './processMemory';
import {
  announcement,
  enter,
  type Member,
  startTeamTracker,
  type TeamTracker,
} from './teamMembers';

const FILES = 100_000;
const FOLDERS = 300;
/** Files that come one after the other, for the time until each is seen. */
const NEWS = 40;
const IDLE_MS = 3_000;
/** For what arrives late, and for memory to be given back. */
const SETTLE_MS = 5_000;
const MEBIBYTE = 1024 ** 2;
const GOALS = { pauseMs: 50, growthMebibytes: 150, newsMs: 500 };

/** What a window with very many network files costs its extension host, and how live it is. */
export const listingBenchmark: Benchmark = { name: 'listing', run };

interface Window extends JoiningWindow {
  readonly session: TeamTracker;
  /** Somebody with few files, whose rows are in sight. */
  readonly reporter: Member;
}

async function run(context: BenchContext): Promise<Report> {
  const session = await startTeamTracker(context);
  const names = Array.from(
    { length: FILES },
    (_, index) => `project/module-${index % FOLDERS}/Source File ${index}.txt`,
  );
  const [publisher, reporting] = [await newUser(), await newUser()];
  await enter(
    context,
    session,
    { user: publisher, hostname: 'library', displayName: 'Library' },
    names.map(announcement),
  );
  context.log(`${FILES} files are published`);
  const reporter = await enter(
    context,
    session,
    { user: reporting, hostname: 'a-reporter', displayName: 'A reporter' },
    [announcement('0 before.txt')],
  );
  const window = { ...(await openJoiningWindow(context)), session, reporter };
  const memory = await watchMemory(window);
  const samples: { idle: ProbeSample; listed: ProbeSample; news: ProbeSample; newsMs: number[] }[] =
    [];
  const growth: number[] = [];
  for (let round = 0; round <= context.rounds; round += 1) {
    const idle = await window.probe.sample(() => delay(IDLE_MS));
    const listed = await list(window);
    await delay(SETTLE_MS);
    if (round === 0) growth.push(memory());
    const { sample: news, newsMs } = await tellNews(window, round);
    samples.push({ idle, listed, news, newsMs });
    context.log(
      `round ${round}: longest pause ${listed.loopMs.max.toFixed(1)} ms (${describeGap(listed.longest)}), ` +
        `busiest ${describeGap(listed.busiest)}, listed in ${listed.tookMs.toFixed(0)} ms`,
    );
    await leave(window);
  }
  return report(window, samples, growth);
}

function report(
  { vscodeVersion }: JoiningWindow,
  samples: readonly {
    readonly idle: ProbeSample;
    readonly listed: ProbeSample;
    readonly news: ProbeSample;
    readonly newsMs: readonly number[];
  }[],
  growth: readonly number[],
): Report {
  const of = (name: string, values: readonly number[], unit = 'ms'): Series => ({
    name,
    unit,
    values,
  });
  // All of them: the first time is what a user has each day.
  const longest = samples.map(({ listed }) => listed.loopMs.max);
  const news = samples.flatMap(({ newsMs }) => newsMs).sort((a, b) => a - b);
  const p95 = news[Math.ceil(news.length * 0.95) - 1] ?? Number.NaN;
  const newsLongest = samples.map((sample) => sample.news.loopMs.max);
  const goals: Goal[] = [
    { name: 'longest pause, listing', value: Math.max(...longest), atMost: GOALS.pauseMs },
    { name: 'longest pause, news', value: Math.max(...newsLongest), atMost: GOALS.pauseMs },
    { name: 'growth, MiB', value: Math.max(...growth), atMost: GOALS.growthMebibytes },
    { name: 'ACK to row, 95 %', value: p95, atMost: GOALS.newsMs },
  ];
  return {
    title: `listing: an extension host whose window shows a network of ${FILES.toLocaleString('en')} files`,
    references: ['the same host idle', `VS Code ${vscodeVersion}`],
    series: [
      of(
        'idle, longest pause',
        samples.map(({ idle }) => idle.loopMs.max),
      ),
      of('listing, longest pause', longest),
      of(
        'listing, longest run',
        samples.map(({ listed }) => listed.busiest.ranMs),
      ),
      of(
        'listing, event loop, p99',
        samples.map(({ listed }) => listed.loopMs.p99),
      ),
      of(
        'listing, until all are counted',
        samples.map(({ listed }) => listed.tookMs),
      ),
      of('news, longest pause', newsLongest),
      of(
        'news, longest run',
        samples.map((sample) => sample.news.busiest.ranMs),
      ),
      of('ACK to row', news),
      of('growth of the extension host', growth, 'MiB'),
    ],
    goals,
  };
}

function describeGap({ wallMs, ranMs, waitedMs }: Gap): string {
  return `ran ${ranMs.toFixed(1)} and waited ${waitedMs.toFixed(1)} of ${wallMs.toFixed(1)} ms`;
}

/** Joins, and watches the host until the view counts all files. */
async function list(window: Window): Promise<ProbeSample> {
  const { workbench, probe, session } = window;
  await pasteInvite(window, session.invite);
  return probe.sample(async () => {
    await workbench.inputBox.accept();
    await workbench.view('Network Files').row('Library', /100.?000 files/u, SETTLE_MS * 4);
  });
}

/** How long each of some files takes from the tracker's word that it has it to its row. */
async function tellNews(
  { workbench, probe, reporter }: Window,
  round: number,
): Promise<{ readonly sample: ProbeSample; readonly newsMs: number[] }> {
  const newsMs: number[] = [];
  const view = workbench.view('Network Files');
  const sample = await probe.sample(async () => {
    for (let index = 0; index < NEWS; index += 1) {
      const name = `0 news ${round} ${index}.txt`;
      await reporter.publish([announcement(name)]);
      const startMs = performance.now();
      await view.row(name);
      newsMs.push(performance.now() - startMs);
      // Few rows, so that the next one is in sight, too.
      await reporter.client.unpublish(reporter.hostname, [name]);
      await view.noRow(name);
    }
  });
  return { sample, newsMs };
}

/** Tells by how many MiB the process of the extension host has grown since. */
async function watchMemory({ probe }: JoiningWindow): Promise<() => number> {
  const pid = await probe.pid();
  const read = (): number => {
    const memory = readMemory(pid);
    if (memory === undefined) throw new Error('the extension host has ended');
    return memory.resident / MEBIBYTE;
  };
  const before = read();
  return () => read() - before;
}

async function newUser(): Promise<ReturnType<typeof openIdentity>> {
  return openIdentity(await createIdentity(new Date()));
}
