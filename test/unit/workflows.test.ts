import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const WORKFLOWS = join(__dirname, '../../.github/workflows');

describe('the workflows', () => {
  it('use only actions that are pinned to a commit, and say its version', () => {
    const uses = readdirSync(WORKFLOWS).flatMap((name) =>
      readFileSync(join(WORKFLOWS, name), 'utf8')
        .split('\n')
        .filter((line) => /\buses:/u.test(line)),
    );
    assert.ok(uses.length > 0);
    const open = uses.filter(
      (line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u.test(line),
    );
    assert.deepEqual(open, []);
  });
});
