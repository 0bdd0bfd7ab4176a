import { strict as assert } from 'node:assert';
import { type MoreRow, RowList } from '../../../src/views/rowList';

interface Value {
  readonly id: string;
  readonly text: string;
}

interface TestRow {
  value: Value;
}

type Told = (TestRow | MoreRow)[] | undefined;

function listOf(...values: readonly Value[]): { list: RowList<Value, TestRow>; told: Told[] } {
  const told: Told[] = [];
  const list = new RowList<Value, TestRow>({
    name: 'test',
    idOf: ({ id }) => id,
    create: (value) => ({ value }),
    update: (row, value) => {
      const isOther = row.value.text !== value.text;
      row.value = value;
      return isOther;
    },
  });
  list.show(values);
  list.onDidChange((rows) => told.push(rows));
  return { list, told };
}

const value = (id: string, text = ''): Value => ({ id, text });
const values = (count: number): Value[] =>
  Array.from({ length: count }, (_, index) => value(String(index)));

function moreOf(list: RowList<Value, TestRow>): MoreRow | undefined {
  return list.take().find((row): row is MoreRow => 'kind' in row);
}

describe('RowList', () => {
  it('keeps the rows of what it knows, and tells of those alone that show something else', () => {
    const { list, told } = listOf(value('a'), value('b'));
    const before = list.take();
    list.show([value('a'), value('b', 'other')]);
    assert.deepEqual(told, [[before[1]]]);
    assert.equal(told[0]?.[0], before[1]);
    assert.deepEqual(list.take(), before);
  });

  it('tells nothing when everything is as it was', () => {
    const { list, told } = listOf(value('a'));
    list.show([value('a')]);
    assert.deepEqual(told, []);
  });

  it('tells of everything when rows come, go or change places, and keeps the others', () => {
    for (const ids of [['a', 'b', 'c'], ['b'], ['b', 'a']]) {
      const { list, told } = listOf(value('a'), value('b'));
      const before = new Set(list.take());
      list.show(ids.map((id) => value(id)));
      assert.deepEqual(told, [undefined], ids.join());
      const kept = list.take().filter((row) => before.has(row));
      assert.equal(kept.length, Math.min(before.size, ids.length), ids.join());
    }
  });

  it('tells again of other rows until they are taken', () => {
    const { list, told } = listOf();
    list.show([value('a')]);
    list.tellAgain();
    list.take();
    list.tellAgain();
    assert.deepEqual(told, [undefined, undefined]);
  });

  it('shows 500 rows and one for those left out, which shows 500 more each time', () => {
    const { list, told } = listOf(...values(1_200));
    assert.equal(list.take().length, 501);
    const more = moreOf(list);
    assert.equal(more?.left, 700);
    list.showMore(more.id);
    assert.deepEqual(told, [undefined]);
    assert.equal(list.take().length, 1_001);
    assert.equal(moreOf(list), more);
    assert.equal(more.left, 200);
    list.showMore(more.id);
    assert.equal(list.take().length, 1_200);
    assert.equal(moreOf(list), undefined);
  });

  it('draws the row for more alone when only what is left out has changed', () => {
    const { list, told } = listOf(...values(501));
    list.show(values(502));
    assert.deepEqual(told, [[moreOf(list)]]);
    list.show(values(500));
    assert.deepEqual(told.slice(1), [undefined]);
  });

  it('passes over the row for more of another list', () => {
    const { list, told } = listOf(...values(501));
    list.showMore('["more","other"]');
    assert.deepEqual(told, []);
    assert.equal(list.take().length, 501);
  });
});
