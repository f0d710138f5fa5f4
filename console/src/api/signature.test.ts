import { describe, expect, it } from 'vitest';
import { signedHeaders, stampOf } from './signature';

// Made by botocore 1.29.27 (SigV4Auth) from the same requests.
const kVectors = [
  {
    accessKey: 'AKIDEXAMPLE',
    secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    host: '127.0.0.1:8773',
    region: 'pileus-1',
    service: 'ec2',
    body: 'Action=DescribeInstances&Version=2016-11-15',
    signature: 'a2ef74ea34323966e6b0951b81ab9eba31f2f5444758058dda6fdfb0fa72456f',
  },
  {
    accessKey: 'AKIA00112233',
    secretKey: 's3cr3t+/=',
    host: 'cloud.example',
    region: 'us-east-1',
    service: 'sts',
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
    signature: 'd6be55d671f0fa0d741ebee7280a35e5f0dd4d470061ad0a5507836c5e31b503',
  },
  {
    accessKey: 'AKIDEXAMPLE',
    secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    host: 'localhost:1',
    region: 'pileus-1',
    service: 'ec2',
    body: '',
    signature: '0220644f42ac98274915c2be4ea7ded0552020cde11a38323e9e20e9b52dc15d',
  },
];
const kNow = new Date('2026-01-02T03:04:05.678Z');

describe('Signature V4', () => {
  it.each(kVectors)('signs as botocore does: $body at $host', async (vector) => {
    const headers = await signedHeaders({
      credentials: vector,
      host: vector.host,
      region: vector.region,
      service: vector.service,
      body: vector.body,
      contentType: 'application/x-www-form-urlencoded; charset=utf-8',
      now: kNow,
    });
    expect(headers['X-Amz-Date']).toBe('20260102T030405Z');
    expect(headers['Authorization']).toBe(
      `AWS4-HMAC-SHA256 Credential=${vector.accessKey}/20260102/${vector.region}/${vector.service}/aws4_request, ` +
        `SignedHeaders=content-type;host;x-amz-date, Signature=${vector.signature}`,
    );
  });

  it('has dates without fractions', () => {
    expect(stampOf(kNow)).toBe('20260102T030405Z');
  });
});
