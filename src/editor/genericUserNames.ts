/** Names of users that images, courses and cloud services give to everyone. */
const GENERIC: ReadonlySet<string> = new Set([
  ...['admin', 'administrator', 'centos', 'codespace', 'coder', 'debian', 'default', 'dev'],
  ...['developer', 'docker', 'ec2-user', 'fedora', 'gitpod', 'guest', 'jovyan', 'lab', 'me'],
  ...['node', 'nobody', 'owner', 'pi', 'root', 'runner', 'student', 'teacher', 'test', 'ubuntu'],
  ...['user', 'vagrant', 'vscode', 'workspace', 'www-data'],
]);

/** Whether a user's name on a machine says nothing of who it is. Numbers at its end do not help. */
export function isGenericUserName(name: string): boolean {
  return GENERIC.has(
    name
      .trim()
      .toLowerCase()
      .replace(/[-_.]?\d*$/u, ''),
  );
}
