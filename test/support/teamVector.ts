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
