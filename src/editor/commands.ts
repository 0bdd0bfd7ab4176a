import { DisposableBase } from '../common/disposable';
import { each, networkFilesOf, publishedOf, rowsOf, transfersOf, urisOf } from './commandArguments';
import type { CommandRunner } from './commandRunner';
import type { Comparing } from './comparing';
import { COMMANDS } from './contributions';
import type { Engine } from './engine';
import type { FetchCommands } from './fetchCommands';
import { pickPublishedFiles } from './filePicker';
import type { Invitations } from './invitations';
import { type NetworkCommands, peersOf } from './networkCommands';
import type { OfferingFetched } from './offeringFetched';
import type { Publishing } from './publishing';
import type { RemovingMembers } from './removingMembers';
import type { Session } from './session';
import type { SessionActions } from './sessionActions';
import type { TransferActions } from './transferActions';

export interface CommandsDependencies {
  readonly runner: CommandRunner;
  readonly engine: Engine;
  readonly session: Session;
  readonly sessionActions: SessionActions;
  readonly invitations: Invitations;
  readonly publishing: Publishing;
  readonly fetching: FetchCommands;
  readonly comparing: Comparing;
  readonly offering: OfferingFetched;
  readonly transfers: TransferActions;
  readonly network: NetworkCommands;
  readonly removing: RemovingMembers;
  /** Shows more rows where the row with this id stands for those that are left out. */
  readonly showMore: (id: string) => void;
  readonly showLog: () => void;
}

/** All commands, each a line that says what it means; what they do is in the classes they call. */
export class Commands extends DisposableBase {
  constructor(private readonly dependencies: CommandsDependencies) {
    super();
    const { runner, session, sessionActions: actions, invitations } = dependencies;
    const { comparing, fetching, network, offering, transfers } = dependencies;
    const handlers = {
      [COMMANDS.publish]: (...args: unknown[]) => dependencies.publishing.publish(urisOf(args)),
      [COMMANDS.publishForSession]: (...args: unknown[]) =>
        dependencies.publishing.publish(urisOf(args), true),
      [COMMANDS.publishAgain]: (...args: unknown[]) =>
        dependencies.publishing.publishAgain(publishedOf(args)),
      [COMMANDS.unpublish]: (...args: unknown[]) => this.unpublish(args),
      [COMMANDS.fetch]: (...args: unknown[]) => fetching.fetch(args),
      [COMMANDS.fetchTo]: (...args: unknown[]) => fetching.fetchTo(args),
      [COMMANDS.fetchHere]: (...args: unknown[]) => fetching.fetchHere(args),
      [COMMANDS.openRemote]: (...args: unknown[]) => comparing.openRemote(networkFilesOf(args)),
      [COMMANDS.compareWithWorkspace]: (...args: unknown[]) =>
        each(args.slice(0, 1), (file) => comparing.compareWithWorkspace(file)),
      [COMMANDS.compareSelected]: (...args: unknown[]) =>
        comparing.compareSelected(networkFilesOf(args)),
      [COMMANDS.filterNetwork]: () => network.filter(),
      [COMMANDS.clearFilter]: () => network.clearFilter(),
      [COMMANDS.groupByFolder]: () => network.group('folder'),
      [COMMANDS.groupByPeer]: () => network.group('peer'),
      [COMMANDS.browsePeer]: (...args: unknown[]) => network.browse(peersOf(rowsOf(args))),
      [COMMANDS.pingPeer]: (...args: unknown[]) => network.ping(peersOf(rowsOf(args))),
      [COMMANDS.compareFingerprint]: (...args: unknown[]) =>
        network.compareFingerprint(peersOf(rowsOf(args))),
      [COMMANDS.removeMember]: (...args: unknown[]) => dependencies.removing.remove(rowsOf(args)),
      [COMMANDS.startTracker]: () => actions.startTracker(),
      [COMMANDS.stopTracker]: () => actions.stopTracker(),
      [COMMANDS.connectOpen]: () => actions.connectOpen(),
      [COMMANDS.join]: () => invitations.join(),
      [COMMANDS.copyInvite]: () => invitations.copyInvite(),
      [COMMANDS.saveInvite]: () => invitations.saveInvite(),
      [COMMANDS.renewInvite]: () => invitations.renewInvite(),
      [COMMANDS.leave]: () => session.leave(),
      [COMMANDS.pauseTransfer]: (...args: unknown[]) => transfers.pause(transfersOf(args)),
      [COMMANDS.resumeTransfer]: (...args: unknown[]) => transfers.resume(transfersOf(args)),
      [COMMANDS.cancelTransfer]: (...args: unknown[]) => transfers.cancel(transfersOf(args)),
      [COMMANDS.retryTransfer]: (...args: unknown[]) => transfers.retry(transfersOf(args)),
      [COMMANDS.revealTransfer]: (...args: unknown[]) => transfers.reveal(transfersOf(args)),
      [COMMANDS.offerTransfer]: (...args: unknown[]) => transfers.offer(transfersOf(args)),
      [COMMANDS.startOfferingFetched]: () => offering.set(true),
      [COMMANDS.stopOfferingFetched]: () => offering.set(false),
      [COMMANDS.clearTransfers]: () => transfers.clear(),
      [COMMANDS.refreshNetwork]: () => dependencies.engine.calls.refreshNetwork(),
      [COMMANDS.showMore]: (id: unknown) => dependencies.showMore(String(id)),
      [COMMANDS.showMenu]: () => actions.showMenu(),
      [COMMANDS.showLog]: () => dependencies.showLog(),
    } as const;
    for (const id of Object.values(COMMANDS)) this.register(runner.register(id, handlers[id]));
  }

  private async unpublish(args: readonly unknown[]): Promise<void> {
    const { publishing, engine } = this.dependencies;
    const { names, uris } = publishedOf(args);
    const chosen = [...names, ...(await publishing.namesOf(uris))];
    const isAsked = names.length === 0 && uris.length === 0;
    return publishing.unpublish(isAsked ? await pickPublishedFiles(engine) : chosen);
  }
}
