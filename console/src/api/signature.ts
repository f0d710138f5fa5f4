// Signature V4 by the browser's own cryptography.
// Source: AWS, "Signature Version 4 signing process".

export interface Credentials {
  accessKey: string;
  secretKey: string;
}

export interface Signing {
  credentials: Credentials;
  host: string;
  region: string;
  service: string;
  body: string;
  contentType: string;
  now: Date;
}

const encoder = new TextEncoder();

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

const sha256 = async (text: string): Promise<string> => hex(await crypto.subtle.digest('SHA-256', encoder.encode(text)));

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, encoder.encode(text));
}

// 20260102T030405Z
export const stampOf = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');

// The headers to send with a POST of `body` to "/", beside those that the browser sends anyway.
export async function signedHeaders(signing: Signing): Promise<Record<string, string>> {
  const { credentials, host, region, service, body, contentType } = signing;
  const stamp = stampOf(signing.now);
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const covered = 'content-type;host;x-amz-date';
  const canonical = ['POST', '/', '', `content-type:${contentType}`, `host:${host}`, `x-amz-date:${stamp}`, '', covered,
    await sha256(body)].join('\n');
  let key: BufferSource = encoder.encode('AWS4' + credentials.secretKey);
  for (const part of scope.split('/')) key = await hmac(key, part);
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, await sha256(canonical)].join('\n');
  const signature = hex(await hmac(key, toSign));
  return {
    'Content-Type': contentType,
    'X-Amz-Date': stamp,
    Authorization:
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${covered}, Signature=${signature}`,
  };
}
