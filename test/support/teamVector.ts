/** Made by another implementation (Python's hmac and hashlib); docs/PROTOCOL.md has it too. */
export const TEAM_VECTOR = {
  teamId: '000102030405060708090a0b0c0d0e0f',
  teamKey: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  trackerToken: 'dd47cdb170e4df3cda5ba8dfd0f97917810ca7227f10493bf5660b2f830e157e',
  membershipKey: '4fe8895de91bcc4be6ea771c3439c12c1d4008939d2e4f197d6d19890c166c20',
  proofKey: '1a7785f93ae8dfa9266290ff194adc54c0dc2114514c865d7d2d9f962f8dedc9',
  tokenHash: '8d991a10bef88911d7c06fdc0e12a2e727cae3de36736d8dd4bfc2ca2cd6ff9c',
  fingerprint: '03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72',
  /** Session “Lớp 10A” at 192.168.1.5:9000 and [fd00::5]:9000. */
  invite:
    'AQABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHwPWbdCINcHKPxKMzqzR8xrJQWMJayD0Ra6EKFvAgy1yCUzhu5twIDEwQQIQMTkyLjE2OC4xLjU6OTAwMA5bZmQwMDo6NV06OTAwMMdWD70',
} as const;

/** Signed by OpenSSL with the key of the first of the stored identities; docs/PROTOCOL.md has it too. */
export const ENTRY_VECTOR = {
  text: '{"team":"000102030405060708090a0b0c0d0e0f","hostname":"alice","name":"Ghi chú.txt","root":"6ca13d52ca70c883e0f0bb101e425a89e8624de51db2d2392593af6a84118090","size":2048,"version":3,"seq":17,"state":"published","note":"","time":1700000000000}',
  sha256: '446a126a1e83a7a24e842d2777ab57a7eda6ab8e68a3bbecb59fefa702545aa5',
  /** Uncompressed point. */
  publicKey:
    '043c432a90112cbc1adb2fb55e52e3c3d87a5f1895d7bcb89ca65c4000e495d8e860a689cb0baaabbfe76a352980a0261c26abed64254b1adc638caa15b8624380',
  signature:
    'fgTt5hNatRTCFeXXAaE-NExFn-uq--YCDMAw5LApZbetNIMhHOjY56aWBDpOkJsRsJ7d4_78_2FYsMGhxSrCMg',
} as const;
