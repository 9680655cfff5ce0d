// An OpenID Connect provider on a free port of this machine, for one test.
//
// Its one argument is JSON: `accounts`, the roles of each account by name, and `standard`, whether
// claims are given only outside the ID token, as is usual by the standard. It prints its issuer as
// a line when it listens. The line `rotate` on standard input gives it other keys, and is answered
// with `rotated`. It ends when standard input ends.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const { accounts, standard } = JSON.parse(process.argv[2]);

const clients = [
  { client_id: 'rsa', id_token_signed_response_alg: 'RS256' },
  { client_id: 'curve', id_token_signed_response_alg: 'ES256' },
  { client_id: 'edwards', id_token_signed_response_alg: 'EdDSA' },
  {
    client_id: 'secret: client',
    id_token_signed_response_alg: 'PS256',
    client_secret: 'a secret+with%signs/of:all&kinds',
    token_endpoint_auth_method: 'client_secret_basic',
  },
].map((client) => ({
  token_endpoint_auth_method: 'none',
  // An address of this machine is accepted with any port, so that the service may use a free one.
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/v1/sign-in/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  ...client,
}));

let generation = 0;

function keys() {
  generation += 1;
  const made = [
    ['RS256', 'rsa', { modulusLength: 2048 }],
    ['PS256', 'rsa', { modulusLength: 2048 }],
    ['ES256', 'ec', { namedCurve: 'P-256' }],
    ['EdDSA', 'ed25519', {}],
  ];
  return made.map(([alg, kind, options]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
    alg, kid: `${alg}-${generation}`, use: 'sig',
  }));
}

function provider(issuer) {
  return new Provider(issuer, {
    clients,
    jwks: { keys: keys() },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['preferred_username', 'daicho_roles'] },
    conformIdTokenClaims: standard,
    cookies: { keys: ['of the tests'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    findAccount: (_, id) => accounts[id] && {
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, daicho_roles: accounts[id] }),
    },
  }).callback();
}

const server = createServer((request, response) => answer(request, response));
let answer;
let issuer;
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer);
  process.stdout.write(`${issuer}\n`);
});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line !== 'rotate') throw new Error(`no command: ${line}`);
  answer = provider(issuer);
  process.stdout.write('rotated\n');
});
lines.on('close', () => process.exit(0));
