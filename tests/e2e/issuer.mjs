// An identity provider on this machine: signs tokens with keys of its own and publishes them as a JWKS.
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';
import { secondsFromNow } from './harness.mjs';

const base64url = (value) => Buffer.from(value).toString('base64url');

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

function keyPair(type) {
  if (type.startsWith('Ed')) return generateKeyPairSync('ed25519');
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[type];
  return namedCurve ? generateKeyPairSync('ec', { namedCurve }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/** A key pair: `token(user, claims)` is signed with it by the algorithm `type`, `jwk` and `pem` are its public part. */
export function signingKey(kid, type = 'RS256') {
  const { publicKey, privateKey } = keyPair(type);
  return {
    kid,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: type, use: 'sig' },
    pem: publicKey.export({ format: 'pem', type: 'spki' }),
    token(user, claims = {}, header = {}) {
      const text = [
        { alg: type, typ: 'JWT', kid, ...header },
        { sub: user, iat: secondsFromNow(0), exp: secondsFromNow(3600), ...claims },
      ].map((part) => base64url(JSON.stringify(part))).join('.');
      const digest = type.startsWith('Ed') ? null : `sha${type.slice(2)}`;
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363', ...(type.startsWith('PS') ? pss : {}) };
      return `${text}.${sign(digest, text, key).toString('base64url')}`;
    },
  };
}

/** Publishes `issuer.keys`, which may change, at `issuer.url`, once `issuer.held` has come; `issuer.failing` answers 500. */
export async function startIssuer(...keys) {
  const issuer = { keys, failing: false, held: null, requests: 0 };
  const server = http.createServer(async (request, response) => {
    issuer.requests += 1;
    await issuer.held;
    response.writeHead(issuer.failing ? 500 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ keys: issuer.keys.map((key) => key.jwk) }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer.url = `http://127.0.0.1:${server.address().port}/.well-known/jwks.json`;
  issuer.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return issuer;
}
