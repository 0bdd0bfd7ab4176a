import { strict as assert } from 'node:assert';
import { encodeAnnouncement, encodeQuestion, readPacket } from '../../../src/lan/packets';
import { announcementRecords } from '../../../src/protocol/announcement';

const FINGERPRINT = '0123456789abcdef'.repeat(4);
const RECORDS = announcementRecords(
  { sessionName: 'Team', fingerprint: FINGERPRINT, port: 9_000 },
  { label: 'x', addresses: ['10.0.0.7'], ttlS: 120 },
);
const SAID = {
  ...{ sessionName: 'Team', fingerprint: FINGERPRINT, port: 9_000 },
  ...{ instance: 'x._peershelf._tcp.local', ttlS: 120 },
};

/** As other programs write it: names are said once and pointed at afterwards. */
function compressedAnswer(): Buffer {
  const label = (text: string): Buffer => Buffer.from(`${String.fromCharCode(text.length)}${text}`);
  const number = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
  const head = Buffer.from('002a84000000000100000002', 'hex');
  const service = Buffer.concat([label('_peershelf'), label('_tcp'), label('local'), number(0)]);
  // What follows the name: type, class, time, length of the data.
  const record = (type: number, data: Buffer): Buffer =>
    Buffer.concat([
      number(type),
      number(0x8001),
      number(0),
      number(120),
      number(data.length),
      data,
    ]);
  const name = service.subarray(0, -1); // One zero byte ends it, of the two.
  const instanceAt = head.length + name.length + 10;
  const pointer = Buffer.concat([record(12, Buffer.concat([label('x'), number(0xc00c)]))]);
  const toInstance = number(0xc000 | instanceAt);
  const target = Buffer.concat([number(0), number(0), number(9_000), label('x'), Buffer.from([0])]);
  const strings = ['txtvers=1', `fp=${FINGERPRINT}`, 'name=Team', 'other=1'].map(label);
  return Buffer.concat([
    ...[head, name, pointer],
    ...[toInstance, record(33, target)],
    ...[toInstance, record(16, Buffer.concat(strings))],
  ]);
}

describe('packets of multicast DNS', () => {
  it('are read as they were written', () => {
    assert.deepEqual(readPacket(encodeAnnouncement(RECORDS)), {
      ...{ kind: 'answer', id: 0, announcements: [SAID] },
    });
    const question = readPacket(encodeQuestion(77));
    assert.ok(question?.kind === 'question' && question.id === 77);
    assert.deepEqual(
      question.questions.map(({ name, type }) => `${type} ${name}`),
      ['PTR _peershelf._tcp.local'],
    );
  });

  it('are read as other programs write them, in the additional section, too', () => {
    assert.deepEqual(readPacket(compressedAnswer()), {
      ...{ kind: 'answer', id: 42, announcements: [SAID] },
    });
  });

  it('mean nothing else when they are cut, and nothing when too long or in a circle', () => {
    const whole = compressedAnswer();
    for (let length = 0; length < whole.length; length += 1) {
      const read = readPacket(whole.subarray(0, length));
      // The codec takes a last text that is cut.
      const [said] = read?.kind === 'answer' ? read.announcements : [];
      if (said !== undefined) assert.deepEqual(said, { ...SAID, sessionName: said.sessionName });
      assert.ok(said === undefined || length > whole.length - 13);
    }
    assert.equal(readPacket(Buffer.concat([whole, Buffer.alloc(1_500)])), undefined);
    const loop = Buffer.from('000084000000000100000000c00c000c00010000000a0002c00c', 'hex');
    assert.equal(readPacket(loop), undefined);
  });

  it('are refused when they have fewer records than they say', () => {
    const many = Buffer.from('0000840000ff00ff00ff00ff', 'hex');
    assert.equal(readPacket(many), undefined);
  });
});
