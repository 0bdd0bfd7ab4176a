import type { Logger } from '../common/logger';
import type { CommandRunner } from './commandRunner';
import { Comparing } from './comparing';
import type { Engine } from './engine';
import { FetchCommands } from './fetchCommands';
import { Fetching } from './fetching';
import { FetchRecord, type RecordStore } from './fetchRecord';
import { OfferingFetched } from './offeringFetched';
import type { Publishing } from './publishing';
import type { Session } from './session';

export interface CreateFetchingDependencies {
  readonly engine: Engine;
  readonly session: Session;
  readonly logger: Logger;
  readonly publishing: Publishing;
  readonly runner: CommandRunner;
  /** What the workspace remembers. */
  readonly store: RecordStore;
}

/** All that has to do with files of others, put together. */
export function createFetching(dependencies: CreateFetchingDependencies): {
  readonly fetching: FetchCommands;
  readonly comparing: Comparing;
  readonly offering: OfferingFetched;
  readonly record: FetchRecord;
} {
  const { engine, session, logger, publishing, runner, store } = dependencies;
  const record = new FetchRecord(store);
  const comparing = new Comparing(record);
  const offering = new OfferingFetched({ engine, publishing, runner });
  const fetching = new Fetching({
    ...{ engine, logger, comparing, record },
    onFetched: (paths) => offering.onFetched(paths),
  });
  const commands = new FetchCommands({ engine, session, logger, fetching, comparing, record });
  return { fetching: commands, comparing, offering, record };
}
