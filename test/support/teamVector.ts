/**
 * Made by another implementation (Python's cryptography, hmac and hashlib); docs/PROTOCOL.md has it too.
 * The root key is that of the first stored identity, the member is the second one.
 */
export const TEAM_VECTOR = {
  root: '023c432a90112cbc1adb2fb55e52e3c3d87a5f1895d7bcb89ca65c4000e495d8e8',
  teamId: 'faa9e0be7bafcbf86a8a71434a70c527c9b37777389735ab4f46c6861b8bbedb',
  teamKey: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  /** Of epoch 3 under charter 0. */
  trackerToken: '21edffa4f09a8fd83fc8800672d196223aee39acd59980382267cec6b854fa57',
  membershipKey: '616c4bf3f44788317af216adb154e06f13e766ef67e1223276e326892645c2f8',
  proofKey: '749abf23962a44d6908fcb3ef43047557673fa4435b3a8eb876f2ef5695ee01d',
  tokenHash: '13abfd8419efd63eab315f1c2f961685396a0980aa35f8d7318262d2742c4286',
  commitment: 'b12045c11434045182c7bb777dd238147980ac761a4b12cac2a00283a960e972',
  fingerprint: '03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72',
  /** Session “Lớp 10A” at 192.168.1.5:9000 and [fd00::5]:9000, until 2030-03-17. */
  invite:
    'AgI8QyqQESy8GtsvtV5S48PYel8Ylde8uJymXEAA5JXY6AAAAAAAAwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fA9Zt0Ig1wco_EozOrNHzGslBYwlrIPRFroQoW8CDLXIJTOG7m3AgMTBBcT-zAFH_rPbqJICCaw_Xplxljn9XRaX6dQLDVzL6heJB82JoDMmrXu2DMxdkuwWlQw-4oW6tJAm--CJS2PLg_TxJkWUCEDE5Mi4xNjguMS41OjkwMDAOW2ZkMDA6OjVdOjkwMDCq9Bc5',
} as const;

/** The key of the epoch for the second stored identity; the ephemeral scalar is 32 bytes of 7. */
export const ENVELOPE_VECTOR = {
  member: 'c9e41d571b1ebb0891dd21bc9562f2b97b5e50f7006445cb96ff23979d7dda01',
  sealingPoint: 'Ardbm2H-YymXc3gV4O9-WysOdLr3LNPlepX831Jw1h24',
  key: 'Ax4YUy_UdUwC8wQdnHXOszuD_9gax85P6ILMscmLxYlu',
  sealed: 'nRJppT07gq8cfcSlip3WaCUmjt3xQ3moUvX9YNW6j-jEAg7MLeuL68GuoS0-riMZ',
} as const;

export const STATEMENT_VECTOR = {
  text: '{"team":"faa9e0be7bafcbf86a8a71434a70c527c9b37777389735ab4f46c6861b8bbedb","charter":0,"seq":7,"previous":"abababababababababababababababababababababababababababababababab","epoch":3,"commitment":"b12045c11434045182c7bb777dd238147980ac761a4b12cac2a00283a960e972","token_hash":"13abfd8419efd63eab315f1c2f961685396a0980aa35f8d7318262d2742c4286","trackers":["03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72"],"removed":[["cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",0,7]],"readmitted":[],"admission":"invite","members":[],"issued":1700000000000,"valid_until":1701209600000,"owner":"faa9e0be7bafcbf86a8a71434a70c527c9b37777389735ab4f46c6861b8bbedb"}',
  signature:
    'nyCUY95olI0wv0ruTPkbVYd5a2yEUfzwMAJA9jOZesAh93Whof1vGpm3D60466EXG0XP6eq0ooHoYu_BCRPHWg',
  hash: '1b02d46e0535f6b7e798f81da0880ea6d308832f17fa598154ac95ef539356f4',
} as const;

/** Charter 1 of the team, with both stored identities as owners. */
export const CHARTER_VECTOR = {
  bytes:
    'AAAAAQICPEMqkBEsvBrbL7VeUuPD2HpfGJXXvLicplxAAOSV2OgDAyIMqm5JZqT4rESIeN6COa-x4iyGzjZkDRcFJFXwAWY',
  signature:
    'mAxzkhu4Ovpx3GvEm-WWOoaNZkA5_WyNOMx3vQZ8Cd6oXH-xgPO4Lt8MOpZfSjb0pFocCuhzWNjTbkPE3AtgrA',
} as const;

/** Signed with the key of the first stored identity; docs/PROTOCOL.md has it too. */
export const ENTRY_VECTOR = {
  text: '{"team":"faa9e0be7bafcbf86a8a71434a70c527c9b37777389735ab4f46c6861b8bbedb","hostname":"alice","name":"Ghi chú.txt","root":"6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090","size":2048,"version":3,"seq":17,"state":"published","note":"","time":1700000000000}',
  sha256: '806a0f8cdf992386751d390235b5508228a54fd91196331b66a00afd665989ab',
  /** Uncompressed point. */
  publicKey:
    '043c432a90112cbc1adb2fb55e52e3c3d87a5f1895d7bcb89ca65c4000e495d8e860a689cb0baaabbfe76a352980a0261c26abed64254b1adc638caa15b8624380',
  signature:
    'w_nrjWm4njAve3wFLwGtkIzHBNPtF4jravvaEB4hSbk_4mEucVaNBGFJoAOqUK_V8qpYOdybcYKJCg3TI77g7g',
} as const;
