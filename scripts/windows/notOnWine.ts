/** A test, or a whole file of tests, that cannot pass under Wine. */
export interface NotOnWine {
  /** Path below `test`, without `.test.ts`. */
  readonly file: string;
  /** Full title; without one the whole file is left out. */
  readonly title?: string;
  readonly reason: string;
  /**
   * Such tests run all the same, as one that passes is an error: it does not belong here. This one does
   * not run, since it would only end at its deadline, or fail those that come after it.
   */
  readonly neverRun?: boolean;
}

const NO_LINKS = 'Wine says that it makes symbolic links, and makes none.';
const NO_SIGNALS = 'A signal from another process ends a program on Windows at once.';
const NO_PYTHON = 'The programs of version 1, and the other multicast DNS, need Python.';
const NO_ZOMBIES = 'On Windows the number of a process that has ended is free.';
const NO_PACKAGER =
  'The packager is found in no folder above the copy; releases are packed on Linux.';
const LOSES_BYTES =
  'Wine loses bytes on their way to a program that ends its own side meanwhile: 402,218 of 86 MB on each ' +
  'of 15 connections between programs of plain Node, and none on Linux.';

/** Everything that `npm run test:windows` leaves out. */
export const NOT_ON_WINE: readonly NotOnWine[] = [
  {
    file: 'unit/common/processExists',
    title:
      'processExists does not count a process that has ended and that its parent never asks after',
    reason: NO_ZOMBIES,
  },
  {
    file: 'integration/commandLine',
    title: 'the command line cancels a fetch on SIGINT and removes what it had',
    reason: NO_SIGNALS,
  },
  {
    file: 'integration/commandLine',
    title: 'the command line offers nothing any more when it is interrupted',
    reason: NO_SIGNALS,
  },
  {
    file: 'integration/controlClient',
    title:
      'the client of the control conversation recognises a tracker of version 1, and speaks that',
    reason: NO_PYTHON,
    neverRun: true,
  },
  {
    file: 'integration/folders',
    title: 'folders never writes outside, whatever the links',
    reason: NO_LINKS,
  },
  {
    file: 'integration/hashing',
    title: 'hashing files names files that are gone, or are links, and hashes the others',
    reason: NO_LINKS,
  },
  {
    file: 'integration/httpServing',
    title:
      'serving by version 2 files that are not any more what was published are answered unreadable when the system refuses to read them',
    reason: 'A path that is too long is a missing file on Windows.',
  },
  {
    file: 'integration/httpServing',
    title:
      'serving by version 2 files that are not any more what was published never make a complete answer when they are deleted meanwhile',
    reason: 'Under Wine a deleted file keeps its name for as long as somebody has it open.',
    neverRun: true,
  },
  {
    file: 'integration/killed',
    title: 'kill -9 of a fetcher whose end nobody asks after: the same fetch goes on with its part',
    reason: NO_ZOMBIES,
  },
  {
    file: 'integration/lan',
    title:
      'sessions in the network are found by another implementation, which hears of their coming and going, too',
    reason: NO_PYTHON,
    neverRun: true,
  },
  {
    file: 'integration/lan',
    title:
      'sessions in the network where somebody means no good are found beside hostile answers, which are text and bounded',
    reason: 'The one honest answer does not arrive under Wine among a hundred hostile ones.',
    neverRun: true,
  },
  {
    file: 'integration/localTracker',
    title:
      'the local tracker is recorded whole or not at all, so that no other window reads a part and puts it aside',
    reason:
      'Its reader keeps the record open, and Windows replaces no open file, however long one waits.',
  },
  {
    file: 'integration/release',
    title: 'a release has the same bytes whenever and wherever the same commit is packed',
    reason: NO_PACKAGER,
  },
  {
    file: 'integration/release',
    title: 'a release brings the notice that the data of Unicode asks for',
    reason: NO_PACKAGER,
  },
  {
    file: 'integration/selection',
    title:
      'choosing folders to publish refuses a folder that leads out of the workspace, and goes on with the others',
    reason: NO_LINKS,
  },
  {
    file: 'integration/selection',
    title: 'choosing folders to publish knows secrets by their names and by what links lead to',
    reason: NO_LINKS,
  },
  {
    file: 'integration/sharing',
    title:
      'sharing between two peers what cannot be published a folder, a missing file, a bad name, a link out of the folder',
    reason: NO_LINKS,
  },
  {
    file: 'integration/sharing',
    title:
      'sharing between two peers a destination that exists is refused when it is a folder, or leads out of its folder',
    reason: NO_LINKS,
  },
  {
    file: 'integration/teamServing',
    title:
      'serving the members of a team lets silent connections and halves of handshakes keep nobody out',
    reason:
      'Among a thousand open connections an answer is cut off in some runs; not yet explained.',
    neverRun: true,
  },
  {
    file: 'integration/trackerCommand',
    title: 'the tracker as a program serves unmodified version 1 programs',
    reason: NO_PYTHON,
    neverRun: true,
  },
  {
    file: 'integration/trackerLimits',
    title: 'a client that does not read gets everything although it has closed its side',
    reason: LOSES_BYTES,
    neverRun: true,
  },
  {
    file: 'integration/trackerTranscript',
    title: 'version 1 transcripts say the same to the original tracker',
    reason: NO_PYTHON,
    neverRun: true,
  },
  {
    file: 'integration/trackerTranscript',
    title: 'version 1 transcripts list the same registry, apart from times',
    reason: NO_PYTHON,
    neverRun: true,
  },
  {
    file: 'integration/upkeep',
    title:
      'what becomes of published files does not publish what a link leads to that took the place of a file',
    reason: NO_LINKS,
    neverRun: true,
  },
  { file: 'integration/versionOne', reason: NO_PYTHON },
  { file: 'integration/webPage', reason: 'No browser is installed in Wine.' },
];
