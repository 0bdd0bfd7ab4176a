import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { systemClock } from '../../src/common/clock';
import { type Logger, nullLogger } from '../../src/common/logger';
import { LanAnnouncer } from '../../src/lan/lanAnnouncer';
import { SessionFinder } from '../../src/lan/sessionFinder';
import type { Announcement } from '../../src/protocol/announcement';
import type { Cleanup } from '../../scripts/host/cleanup';

const GROUP = '224.0.0.251';
const LOOPBACK = '127.0.0.1';
/** Another machine, where there is more than one address of loopback. */
const NEIGHBOUR = process.platform === 'darwin' ? LOOPBACK : '127.0.0.2';

/** A network for one test: multicast on loopback, at a port that nobody else has. */
export interface TestLan {
  readonly port: number;
  readonly addresses: readonly string[];
}

export async function newLan(): Promise<TestLan> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return { port, addresses: [LOOPBACK] };
}

/** Announces until the test ends, or is stopped before. */
export function startAnnouncer(
  cleanup: Cleanup,
  { port, addresses }: TestLan,
  announcement: Announcement,
  logger: Logger = nullLogger,
): LanAnnouncer {
  const place = { port, addresses: () => addresses };
  const announcer = new LanAnnouncer({ clock: systemClock, logger }, announcement, place);
  cleanup.add(() => announcer.stop());
  announcer.start();
  return announcer;
}

export function startFinder(
  cleanup: Cleanup,
  lan: TestLan,
  logger: Logger = nullLogger,
): SessionFinder {
  const finder = new SessionFinder({ clock: systemClock, logger }, lan);
  cleanup.add(() => finder.dispose());
  return finder;
}

/** Somebody in the network who says whatever a test wants. */
export interface Neighbour {
  readonly socket: Socket;
  /** What was said to everyone, the questions among it. */
  readonly heard: Buffer[];
}

/** Hears what is said to everyone, and answers each packet with those that `answer` gives. */
export async function startNeighbour(
  cleanup: Cleanup,
  { port }: TestLan,
  answer: (packet: Buffer) => readonly Buffer[] = () => [],
): Promise<Neighbour> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const mouth = createSocket('udp4');
  const heard: Buffer[] = [];
  cleanup.add(() => {
    socket.close();
    mouth.close();
  });
  await new Promise<void>((resolve) => mouth.bind(0, NEIGHBOUR, resolve));
  socket.on('message', (packet: Buffer, from: RemoteInfo) => {
    heard.push(packet);
    for (const reply of answer(packet)) mouth.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, resolve));
  socket.addMembership(GROUP, LOOPBACK);
  socket.setMulticastInterface(LOOPBACK);
  return { socket, heard };
}
