import * as assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { PICTURES } from '../../../scripts/host/paths';
import { formatHostPort, type HostPort } from '../../../src/protocol/address';
import { englishLeft } from '../../support/englishLeft';
import type { View } from '../../support/parts/view';
import type { PeerWindow } from '../../support/peerWindows';
import { RawClient } from '../../support/rawClient';
import { startPeer, type TestPeer } from '../../support/startPeer';
import { startTracker } from '../../support/startTracker';
import { useWindows } from '../../support/useWindows';

/** At one megabyte a second there is time to look at it. */
const LARGE = randomBytes(60_000_000);
/** Buttons that every view of the workbench has. */
const OF_WORKBENCH = /^(?:Collapse All|Views and More Actions|More Actions)/u;
/** Of the walkthrough. */
const STEPS = 4;
const FETCH = 'Peershelf: Tải về từ mạng…';

/**
 * What a user sees whose display language is Vietnamese; VS Code itself stays English here. Every test
 * builds on the one before.
 */
describe('a window in Vietnamese', () => {
  const { windows, cleanup } = useWindows();
  let window: PeerWindow;
  let tracker: HostPort;
  let minh: TestPeer;

  before(async () => {
    ({ address: tracker } = await startTracker(cleanup));
    const start = (hostname: string, displayName: string): Promise<TestPeer> =>
      startPeer(cleanup, { tracker, settings: { hostname, displayName }, presence: true });
    minh = await start('minh', 'Minh');
    await minh.publish('bài 1.txt', 'của Minh');
    await minh.publish('tài liệu/bài 2.txt', 'hai');
    await minh.publish('tài liệu/bài 3.txt', 'ba');
    await minh.publish('đổi.txt', 'trước');
    await minh.publish('lớn.bin', LARGE);
    const hoa = await start('hoa', 'Hoa');
    for (const peer of [minh, hoa]) await peer.publish('giống.txt', 'như nhau');
    window = await windows.add('Lan', {
      locale: 'vi',
      files: { 'bài 1.txt': 'một', 'giống.txt': 'như nhau', 'riêng.txt': 'của Lan' },
      machineSettings: { 'peershelf.maxDownloadMegabytesPerSecond': 1 },
    });
  });

  const isVietnamese = (texts: readonly string[]): void =>
    assert.deepEqual(englishLeft(texts), [], `of ${JSON.stringify(texts)}`);
  /** Everything that a view says but its tooltips. */
  const saidBy = async (view: View): Promise<string[]> => {
    const rows = await view.rows();
    const buttons = (await view.titleActions()).filter((label) => !OF_WORKBENCH.test(label));
    return [
      ...[view.title, await view.description(), await view.welcomeText()],
      ...buttons,
      ...rows.flatMap(({ label, description, ariaLabel }) => [label, description, ariaLabel]),
    ];
  };
  const picture = (name: string): Promise<void> =>
    window.workbench.screenshot(path.join(PICTURES, `vietnamese-${name}.png`));
  const search = async (text: string): Promise<void> => {
    const { quickPick } = window.workbench;
    await window.workbench.runCommand(FETCH);
    await quickPick.opened({ title: /^Tải về từ mạng: \d+ tệp$/u });
    await quickPick.type(text);
  };
  const saidByPick = async (): Promise<string[]> => {
    const { quickPick } = window.workbench;
    const items = await quickPick.items();
    return [
      ...[await quickPick.title(), await quickPick.placeholder()],
      ...items.flatMap(({ label, description, detail }) => [label, description, detail]),
      ...(await quickPick.buttons()),
    ];
  };

  it('starts a session and publishes, asked and told in Vietnamese', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    const network = workbench.view('Tệp trên mạng');
    await network.welcomed(/Chia sẻ tệp trực tiếp với nhóm của bạn/u);
    isVietnamese(await saidBy(network));
    await network.welcomeAction('Bắt đầu phiên nhóm (tracker trên máy này)');
    await workbench.quickPick.opened({ title: 'Bắt đầu phiên nhóm (tracker trên máy này)' });
    await workbench.quickPick.choose(/Chỉ máy này/u);
    await workbench.notifications.shown(/Phiên .* đang chạy, chỉ cho máy này/u);
    await workbench.statusBarItem(/0 người khác/u);
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('bài 1.txt', 'Chia sẻ lên mạng');
    await workbench.notifications.shown(/Đã chia sẻ bài 1\.txt/u);
    await workbench.openView('Peershelf');
    const published = workbench.view('Tệp đã chia sẻ');
    await published.row('bài 1.txt');
    isVietnamese([
      ...(await saidBy(published)),
      await published.tooltip('bài 1.txt'),
      ...(await published.contextMenuTitles('bài 1.txt')),
    ]);
  });

  it('shows what others offer, who they are and who is away', async () => {
    const { workbench } = window;
    await workbench.runCommand('Peershelf: Kết nối tới tracker mở…');
    await workbench.inputBox.opened({ title: 'Kết nối tới tracker mở' });
    const prompt = await workbench.inputBox.message();
    isVietnamese([prompt.replace(/\(Press .*\)$/u, '')]);
    await workbench.inputBox.answer(formatHostPort(tracker));
    const told = await workbench.notifications.shown(/Đã kết nối tới/u);
    const client = await RawClient.connect(cleanup, tracker);
    await client.ask('HELLO', { versions: [2] });
    const host = { hostname: 'nam', display_name: 'Nam', port: 1, instance: 'n', counter: 1 };
    await client.ask('REGISTER', host);
    const files = [{ name: 'vắng.txt', size: 1, modified: 1 }];
    await client.ask('PUBLISH', { hostname: host.hostname, files });
    const network = workbench.view('Tệp trên mạng');
    await network.row('vắng.txt', /^mới/u);
    await client.vanish();
    await network.row('vắng.txt', /^vắng mặt từ/u);
    await network.open('tài liệu');
    await network.row('bài 1.txt', /^khác/u);
    await network.row('giống.txt', /^đã có/u);
    const peers = workbench.view('Thành viên');
    await peers.expand();
    await peers.row('Minh', /^có mặt từ .* 6 tệp/u);
    await picture('views');
    const status = await workbench.statusBarItem(/3 người khác|2 người khác/u);
    isVietnamese([told, status, ...(await saidBy(network)), ...(await saidBy(peers))]);
    isVietnamese([
      await network.tooltip('bài 1.txt'),
      await network.tooltip('tài liệu'),
      await peers.tooltip('Minh'),
      ...(await network.contextMenuTitles('bài 1.txt')),
      ...(await network.contextMenuTitles('tài liệu')),
      ...(await peers.contextMenuTitles('Minh')),
    ]);
    await workbench.runCommand('Peershelf: Nhóm theo thư mục');
    await network.row('giống.txt', /2 nguồn$/u);
    isVietnamese([...(await saidBy(network)), await network.tooltip('giống.txt')]);
    await workbench.runCommand('Peershelf: Nhóm theo người');
  });

  it('is shown in another window what it publishes, also in Vietnamese', async () => {
    const mai = await windows.add('Mai', { locale: 'vi', tracker });
    const { workbench } = window;
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('riêng.txt', 'Chia sẻ lên mạng');
    await workbench.notifications.shown(/Đã chia sẻ riêng\.txt/u);
    await workbench.openView('Peershelf');
    await mai.workbench.openView('Peershelf');
    const network = mai.workbench.view('Tệp trên mạng');
    await network.row('Lan', '1 tệp');
    await network.row('riêng.txt', /^mới · /u);
    isVietnamese(await saidBy(network));
    await network.inlineAction('riêng.txt', FETCH.replace('Peershelf: ', ''));
    const told = await mai.workbench.notifications.shown(/Đã tải .*riêng\.txt/u);
    isVietnamese([told]);
    await workbench.view('Truyền tệp').row('riêng.txt', /tới 127\.0\.0\.1$/u);
    await mai.workbench.close();
    await workbench.view('Thành viên').noRow('Mai');
  });

  it('shows transfers that run, wait, have ended and have failed', async () => {
    const { workbench } = window;
    const transfers = workbench.view('Truyền tệp');
    isVietnamese(await saidBy(transfers));
    await search('lớn');
    isVietnamese(await saidByPick());
    await workbench.quickPick.choose('lớn.bin');
    await transfers.row('lớn.bin', /\/giây · còn .* từ Minh$/u);
    isVietnamese([
      ...(await saidBy(transfers)),
      ...(await workbench.notifications.texts()),
      ...(await transfers.contextMenuTitles('lớn.bin')),
    ]);
    await transfers.inlineAction('lớn.bin', 'Tạm dừng');
    await transfers.row('lớn.bin', /^tạm dừng/u);
    writeFileSync(minh.path('đổi.txt'), 'sau đó');
    await search('đổi');
    await workbench.quickPick.choose('đổi.txt');
    const failure = await workbench.notifications.shown(/đã sửa tệp kể từ khi chia sẻ/u);
    await transfers.row('đổi.txt', /^không thành công/u);
    isVietnamese(await transfers.contextMenuTitles('đổi.txt'));
    await transfers.inlineAction('đổi.txt', 'Thử lại');
    await search('tài liệu/');
    await workbench.quickPick.offers('tài liệu/', 5_000);
    isVietnamese(await saidByPick());
    await workbench.quickPick.choose('tài liệu/');
    const fetched = await workbench.notifications.shown(/Đã tải về 2 tệp/u);
    await transfers.row('tài liệu/', /^xong/u);
    await picture('transfers');
    isVietnamese([
      ...[failure, fetched],
      ...(await saidBy(transfers)),
      await transfers.tooltip('lớn.bin'),
      ...(await transfers.contextMenuTitles('tài liệu/')),
    ]);
    await transfers.inlineAction('lớn.bin', 'Hủy');
    await transfers.row('lớn.bin', /^đã hủy/u);
    isVietnamese(await saidBy(transfers));
  });

  it('asks about what is in the way, and compares', async () => {
    const { workbench, workspace } = window;
    for (const name of ['bài 2.txt', 'bài 3.txt'])
      writeFileSync(path.join(workspace, 'shared/tài liệu', name), 'của Lan');
    await search('tài liệu/');
    await workbench.quickPick.choose('tài liệu/');
    await workbench.quickPick.opened({ title: /bài 2\.txt đã có với nội dung khác/u });
    await picture('conflict');
    isVietnamese(await saidByPick());
    await workbench.quickPick.choose('So sánh');
    const question = await workbench.notifications.shown(/Hãy xem khác biệt/u);
    isVietnamese([question, ...(await workbench.editorTabs())]);
    await workbench.notifications.press(/Hãy xem khác biệt/u, 'Quyết định…');
    await workbench.quickPick.choose('Bỏ qua tất cả');
    await workbench.quickPick.closed();
    const transfers = workbench.view('Truyền tệp');
    await transfers.row('tài liệu/', /bỏ lại \d tệp/u);
    isVietnamese(await saidBy(transfers));
    await workbench.runCommand('View: Close All Editors');
  });

  it('leads through its first steps', async () => {
    const { workbench } = window;
    await workbench.runCommand('Welcome: Open Walkthrough...');
    await workbench.quickPick.type('Peershelf');
    await workbench.quickPick.choose(/Những bước đầu với Peershelf/u);
    const page = workbench.page.locator('.gettingStartedContainer');
    await page.getByText('Những bước đầu với Peershelf').first().waitFor();
    await picture('walkthrough');
    // What the extension says; what stands around it is the workbench's.
    const said = await page
      .locator('.gettingStartedSlideDetails')
      .locator('.category-title, .category-description, .step-title, .step-description-container')
      .allInnerTexts();
    assert.ok(said.length >= 2 + 2 * STEPS, JSON.stringify(said));
    isVietnamese(said);
    // A long button makes the text beside it wider than its frame.
    const frame = page.locator('.getting-started-step.expanded').first();
    const cutOff = await frame.evaluate((element) => {
      const { scrollWidth, clientWidth } = element as unknown as Record<string, number>;
      return (scrollWidth ?? 0) - (clientWidth ?? 0);
    });
    assert.ok(cutOff <= 1, `${cutOff} pixels of a step are cut off`);
  });
});
