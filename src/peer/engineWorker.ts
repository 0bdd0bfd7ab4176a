import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../common/clock';
import { describeError, PeershelfError } from '../common/errors';
import { createLogger } from '../common/logger';
import { SessionFinder } from '../lan/sessionFinder';
import { type FromEngine, serveEngine } from './enginePort';
import { Peer } from './peer';
import type { EngineOptions, LanApi, LanEvents } from './peerApi';
import { createTeamKeyCalls } from './team/teamKeyCalls';

/** Entry of the engine worker: one `Peer` behind the message port of its parent. */
function main(): void {
  const port = parentPort;
  if (port === null) throw new PeershelfError('INTERNAL', 'the engine must run as a worker');
  const logger = createLogger((level, tag, message) => {
    port.postMessage({ type: 'log', level, tag, message } satisfies FromEngine);
  }, 'engine');
  // A defect must be seen, but must not end what else runs: transfers of a whole team may.
  process.on('unhandledRejection', (reason) => {
    logger.error(`unhandled rejection: ${describeError(reason)}`);
  });
  const options = workerData as EngineOptions;
  const finder = new SessionFinder(
    { clock: systemClock, logger: logger.child('lan') },
    options.lan,
  );
  const peer = new Peer(
    { logger, findTracker: (fingerprint, signal) => finder.findTracker(fingerprint, signal) },
    options,
  );
  const { onDidChangeFoundSessions } = finder;
  const lan: LanApi & LanEvents = {
    watchSessions: (request) => finder.watchSessions(request),
    findSessions: () => finder.findSessions(),
    onDidChangeFoundSessions,
  };
  serveEngine(Object.assign(peer, createTeamKeyCalls(systemClock), lan), port);
}

main();
