import type { PeerWindow } from '../../support/peerWindows';
import { useWindows } from '../../support/useWindows';

/** What a user sees whose display language is Vietnamese; VS Code itself stays English here. */
describe('a window in Vietnamese', () => {
  const { windows } = useWindows();
  let window: PeerWindow;

  before(async () => {
    window = await windows.add('Lan', {
      locale: 'vi',
      files: { 'bài 1.txt': 'một' },
    });
  });

  it('starts a session and publishes, asked and told in Vietnamese', async () => {
    const { workbench } = window;
    await workbench.openView('Peershelf');
    const network = workbench.view('Tệp trên mạng');
    await network.welcomed(/Chia sẻ tệp trực tiếp với nhóm của bạn/u);
    await network.welcomeAction('Bắt đầu phiên nhóm (tracker trên máy này)');
    await workbench.quickPick.opened({ title: 'Bắt đầu phiên nhóm (tracker trên máy này)' });
    await workbench.quickPick.choose(/Chỉ máy này/u);
    await workbench.notifications.shown(/Phiên .* đang chạy, chỉ cho máy này/u);
    await workbench.statusBarItem(/0 người khác/u);
    await workbench.openView('Explorer');
    await workbench.explorer.contextMenu('bài 1.txt', 'Chia sẻ lên mạng');
    await workbench.notifications.shown(/Đã chia sẻ bài 1\.txt/u);
    await workbench.openView('Peershelf');
    await workbench.view('Tệp đã chia sẻ').row('bài 1.txt');
  });
});
