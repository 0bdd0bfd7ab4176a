import { strict as assert } from 'node:assert';
import { isGenericUserName } from '../../../src/editor/genericUserNames';

describe('a generic user name', () => {
  it('is one that images and courses give to everyone, numbered or not', () => {
    for (const name of [
      'root',
      'Admin',
      ' user ',
      'coder',
      'student17',
      'user-2',
      'pi',
      'ec2-user',
    ])
      assert.equal(isGenericUserName(name), true, name);
  });

  it('is not one that somebody has', () => {
    for (const name of ['alice', 'nguyen.van.a', 'rootsmith', 'admina', '', '42'])
      assert.equal(isGenericUserName(name), false, name);
  });
});
