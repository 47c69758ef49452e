// The settings of docs/auth.md, read from there, with tokens of each provider's shape.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { closeSockets, connect, rest } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { repository, secondsFromNow, signToken, startServer, temporaryFolder } from './harness.mjs';
import { signingKey, startIssuer } from './issuer.mjs';

after(closeSockets);

/** The TOML blocks of the page, by the heading above them. */
function blocksOf(page) {
  const blocks = {};
  let heading = '';
  for (const [, title, toml] of page.matchAll(/^#+ (.*)$|^```toml\n([\s\S]*?)^```$/gm)) {
    if (title) heading = title;
    else (blocks[heading] ??= []).push(toml);
  }
  return blocks;
}
const blocks = blocksOf(fs.readFileSync(path.join(repository, 'docs/auth.md'), 'utf8'));

/** A block with a secret in the place of the page's, which is no good: nobody runs with one that the whole world knows. */
const withSecret = (toml, secret) => toml.replace(/^jwt_secret = "[^"]{1,31}"/m, `jwt_secret = "${secret}"`);

/** One setting of a block; the first of a list. */
const settingOf = (toml, name) => new RegExp(`^${name} = \\[?"([^"]*)"`, 'm').exec(toml)?.[1];

const times = (life) => ({ iat: secondsFromNow(0), exp: secondsFromNow(life) });
const uuid = '2f1d3c5e-6a7b-4c8d-9e0f-112233445566';
const encryption = { ...signingKey('enc').jwk, use: 'enc', alg: 'RSA-OAEP' };

// What each provider writes into its tokens: `user` is who the server takes it for. `claims(roles)` are those of a person with
// these roles, `admin` the role that the page maps. `others`: further keys that its key set has.
const providers = {
  Auth0: {
    user: 'auth0|65f1c0ffee65f1c0ffee65f1',
    header: { typ: 'at+jwt' },
    admin: 'admin',
    claims: (iss, aud, roles) => ({
      iss, sub: 'auth0|65f1c0ffee65f1c0ffee65f1', aud: [aud, `${iss}userinfo`], azp: 'mX9k2vB7cQ4tR1wL', scope: 'openid profile email',
      ...times(86_400), permissions: [], 'https://rushes.example/roles': roles,
    }),
  },
  Keycloak: {
    user: uuid,
    admin: 'rushes-admin',
    others: [encryption],
    claims: (iss, aud, roles) => ({
      ...times(300), jti: 'onrtac:5d8f', iss, aud: [aud, 'account'], sub: uuid, typ: 'Bearer', azp: 'web', sid: '0a1b', acr: '1',
      'allowed-origins': ['https://app.example'], realm_access: { roles: ['offline_access', 'uma_authorization', ...roles] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } }, scope: 'profile email', email_verified: true,
      preferred_username: 'alice',
    }),
  },
  'Microsoft Entra ID': {
    user: '00000000-66f3-4332-abcd-7777a8b9c0d1',
    admin: 'Rushes.Admin',
    jwk: ({ alg, ...jwk }) => ({ ...jwk, x5t: jwk.kid, x5c: ['MIIC'], issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }),
    claims: (iss, aud, roles) => ({
      aud, iss, ...times(4_000), nbf: secondsFromNow(-300), aio: 'AXQAi/8TAAAA', azp: '1111', azpacr: '0', name: 'Alice',
      oid: '00000000-66f3-4332-abcd-7777a8b9c0d1', preferred_username: 'alice@contoso.example', rh: '0.AX0', roles, scp: 'jobs.submit',
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', tid: 'TENANT-ID', uti: 'fqiBqXLPj0eQa82S', ver: '2.0',
      groups: Array.from({ length: 200 }, (_, i) => `6f5ad1f4-5a3d-4ec9-8b86-${String(i).padStart(12, '0')}`),
    }),
  },
  'Amazon Cognito': {
    user: uuid,
    admin: 'rushes-admins',
    header: { typ: undefined },
    claims: (iss, client, roles) => ({
      sub: uuid, 'cognito:groups': roles, iss, client_id: client, origin_jti: 'a', event_id: 'b', token_use: 'access',
      scope: 'aws.cognito.signin.user.admin', auth_time: secondsFromNow(0), ...times(3_600), jti: 'c', username: 'alice',
    }),
    otherAudience: { client_id: 'ANOTHER-CLIENT' },
    also: (iss, client) => ({ sub: uuid, aud: client, iss, 'cognito:username': 'alice', token_use: 'id', ...times(3_600) }),
  },
  Clerk: {
    user: 'user_2abcDEFghiJKLmnoPQRstuVWxyz',
    admin: 'admin',
    header: { cat: 'cl_B7d4PD111AAA' },
    claims: (iss, origin, roles) => ({
      azp: origin, ...times(60), fva: [0, -1], iss, nbf: secondsFromNow(-10), sid: 'sess_2abc', sts: 'active', v: 2,
      sub: 'user_2abcDEFghiJKLmnoPQRstuVWxyz', metadata: roles.length > 0 ? { role: roles[0] } : {}, o: { id: 'org_1', rol: 'admin', slg: 'x' },
    }),
    otherAudience: { azp: 'https://evil.example' },
  },
  Supabase: {
    user: uuid,
    admin: 'admin',
    type: 'ES256',
    jwk: (jwk) => ({ ...jwk, key_ops: ['verify'], ext: true }),
    claims: (iss, aud, roles) => ({
      aal: 'aal1', amr: [{ method: 'password', timestamp: secondsFromNow(-9) }], app_metadata: { provider: 'email', providers: ['email'], ...(roles[0] && { role: roles[0] }) },
      aud, email: 'alice@example.com', ...times(3_600), iss, is_anonymous: false, phone: '', role: 'authenticated', session_id: uuid, sub: uuid,
      user_metadata: { email_verified: true, role: 'admin', deep: { a: { b: { c: { d: { e: { f: 1 } } } } } } },
    }),
  },
  Firebase: {
    user: 'kX3vM9tQ2sWbN7yLcR5uHdJ0pZ12',
    admin: 'admin',
    claims: (iss, aud, roles) => ({
      ...(roles[0] && { role: roles[0] }), name: 'Alice', iss, aud, auth_time: secondsFromNow(-60), user_id: 'kX3vM9tQ2sWbN7yLcR5uHdJ0pZ12',
      sub: 'kX3vM9tQ2sWbN7yLcR5uHdJ0pZ12', ...times(3_600), email: 'alice@example.com', email_verified: true,
      firebase: { identities: { 'google.com': ['117'], email: ['alice@example.com'] }, sign_in_provider: 'google.com' },
    }),
  },
};

/** Signs in as the provider's user and its operator, tries what must be refused. */
async function checkProvider(server, { user, admin, claims, otherAudience = { aud: 'another-service' }, also }, toml, sign) {
  const [iss, aud] = ['jwt_issuer', 'jwt_audience'].map((name) => settingOf(toml, name));
  const own = claims(iss, aud, []);
  const asked = (token) => rest(server, 'GET', '/notifications', { token });
  const notify = (token) => rest(server, 'POST', '/notifications', { token, json: { userId: user, title: 'Hello', message: 'There', type: 'tip', severity: 'info' } });

  const answer = await asked(sign(own));
  assert.equal(answer.status, 200, answer.body.detail);
  checkProblem(await notify(sign(own)), 403, 'ROLE_NEEDED');
  const sent = await notify(sign({ ...claims(iss, aud, ['something', admin].slice(admin === 'admin' ? 1 : 0)), jti: 'operator' }));
  assert.equal(sent.status, 201, JSON.stringify(sent.body));
  assert.equal((await asked(sign(own))).body.total, 1, `the token speaks for ${user}`);
  for (const namespace of ['/queue', '/notifications']) await connect(server, namespace, { auth: { token: sign(own) } }).ready();
  if (also) assert.equal((await asked(sign(also(iss, aud)))).body.total, 1);

  for (const [name, changed] of Object.entries({
    'another issuer': { iss: `${iss}x` },
    'another service': otherAudience,
    'nobody': { sub: undefined, oid: undefined },
  })) {
    const refused = await asked(sign({ ...own, ...changed }));
    checkProblem(refused, 401, 'TOKEN_INVALID');
    assert.match(refused.body.detail, { 'another issuer': /\(iss\)/, 'another service': /\(aud\)/, nobody: /names no user/ }[name]);
  }
  checkProblem(await asked(sign({ ...own, exp: secondsFromNow(-60) })), 401, 'TOKEN_EXPIRED');
}

/** A server with the settings as they stand on the page, but for the place of the keys. */
async function startWith(toml, url) {
  const folder = temporaryFolder();
  const file = path.join(folder, 'rushes.toml');
  fs.writeFileSync(file, url ? toml.replace(/^(jwt_jwks = )"[^"]*"/m, `$1"${url}"`) : toml);
  try {
    return await startServer({ secret: '', args: ['--config', file] });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

describe('the settings of docs/auth.md take tokens of', () => {
  for (const [name, provider] of Object.entries(providers)) {
    test(name, async () => {
      const toml = blocks[name][0];
      const key = signingKey(`${name} 1`, provider.type);
      const jwk = provider.jwk?.(key.jwk) ?? key.jwk;
      const issuer = await startIssuer({ jwk: signingKey(`${name} 0`, provider.type).jwk }, { jwk }, ...(provider.others ?? []).map((other) => ({ jwk: other })));
      const server = await startWith(toml, issuer.url);
      try {
        assert.doesNotMatch(server.log, /is not set/, 'nothing is left open');
        await checkProvider(server, provider, toml, (claims) => key.token(undefined, claims, provider.header));
      } finally {
        await server.dispose();
        await issuer.close();
      }
    });
  }

  test('Supabase, with its legacy secret', async () => {
    const secret = randomBytes(32).toString('hex');
    const toml = withSecret(blocks.Supabase[1], secret);
    const server = await startWith(toml);
    try {
      await checkProvider(server, providers.Supabase, toml, (claims) => signToken(secret, claims));
    } finally {
      await server.dispose();
    }
  });

  test('several issuers, each with its own keys, of which one gives roles', async () => {
    const [a, b] = [signingKey('a'), signingKey('b', 'PS384')];
    const issuers = [await startIssuer(a), await startIssuer(b)];
    let toml = blocks['Several issuers'][0];
    toml = toml.replace(/ https:\/\/a\.example\/jwks\.json"/, ` ${issuers[0].url}"`).replace(/ https:\/\/b\.example\/keys"/, ` ${issuers[1].url}"`);
    const server = await startWith(toml);
    const roleOf = async (key, iss) => {
      const token = key.token('alice', { iss, role: 'admin' });
      const answer = await rest(server, 'POST', '/notifications', { token, json: { userId: 'x', title: 'Hello', message: 'There', type: 'tip', severity: 'info' } });
      return answer.body.code ?? 'admin';
    };
    try {
      assert.equal(await roleOf(a, 'https://a.example/'), 'admin');
      assert.equal(await roleOf(b, 'https://b.example/'), 'ROLE_NEEDED');
      assert.equal(await roleOf(b, 'https://a.example/'), 'TOKEN_INVALID', 'whose keys are others');
      assert.equal(await roleOf(a, 'https://b.example/'), 'TOKEN_INVALID');
    } finally {
      await server.dispose();
      for (const issuer of issuers) await issuer.close();
    }
  });

  test('a back end of one\'s own, with numbers as user ids', async () => {
    await assert.rejects(startWith(blocks['Your own back end'][0]), /shorter than 32 bytes.*openssl rand -hex 32/s);
    const secret = randomBytes(32).toString('hex');
    const toml = withSecret(blocks['Your own back end'][0], secret);
    const server = await startWith(toml);
    try {
      for (const claims of [{ sub: 42, username: 'john' }, { userId: 42 }, { id: 42 }, { sub: '42' }]) {
        const json = { userId: '42', title: 'Hello', message: 'There', type: 'tip', severity: 'info' };
        const token = signToken(secret, { ...claims, ...times(60) });
        const operator = signToken(secret, { sub: 'ops', role: 'admin', ...times(60) });
        const before = (await rest(server, 'GET', '/notifications', { token })).body.total;
        assert.equal((await rest(server, 'POST', '/notifications', { token: operator, json })).status, 201);
        assert.equal((await rest(server, 'GET', '/notifications', { token })).body.total, before + 1, JSON.stringify(claims));
        await connect(server, '/queue', { auth: { token } }).ready();
      }
      const answer = await rest(server, 'GET', '/notifications', { token: signToken(secret, { sub: 1.5, ...times(60) }) });
      checkProblem(answer, 401, 'TOKEN_INVALID');
      assert.match(answer.body.detail, /\(sub\) is not a whole number; issue it as a text/);
    } finally {
      await server.dispose();
    }
  });
});

test('every algorithm of the page signs in, by the key that it belongs to', async () => {
  const types = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
  const keys = types.map((type) => signingKey(type, type));
  const issuer = await startIssuer(...keys, { jwk: { kty: 'oct', k: Buffer.alloc(32, 's').toString('base64url'), kid: 'oct', alg: 'HS256' } });
  const server = await startServer({ secret: '', env: { RUSHES_JWT_JWKS: issuer.url } });
  const ask = (token) => rest(server, 'GET', '/analyze/jobs', { token });
  try {
    for (const key of keys) assert.equal((await ask(key.token('alice'))).status, 200, key.kid);
    const ed = keys.at(-1);
    assert.equal((await ask(ed.token('alice', {}, { alg: 'EdDSA' }))).status, 200, 'one key, two names');
    const text = ['{"alg":"HS256","kid":"oct"}', JSON.stringify({ sub: 'alice', ...times(60) })].map((part) => Buffer.from(part).toString('base64url')).join('.');
    const mac = createHmac('sha256', Buffer.alloc(32, 's')).update(text).digest('base64url');
    checkProblem(await ask(`${text}.${mac}`), 401, 'TOKEN_INVALID');
    assert.match(server.log, /left out: key 'oct' is a secret/);
    const page = fs.readFileSync(path.join(repository, 'docs/auth.md'), 'utf8');
    for (const type of types) assert.ok(page.includes(type), type);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});
