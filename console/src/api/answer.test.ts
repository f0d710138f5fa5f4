import { DOMParser as XmlParser } from '@xmldom/xmldom';
import { describe, expect, it, vi } from 'vitest';
import { parseAnswer, Refusal } from './answer';
import { formOf, list } from './cloud';
import { readInstances, readMetrics } from './records';

// A browser says what is wrong by a document of its own; this one by exceptions.
class BrowserParser {
  parseFromString(text: string, type: string): unknown {
    const fail = (why: string) => {
      throw new Error(why);
    };
    try {
      return new XmlParser({ errorHandler: { warning: () => {}, error: fail, fatalError: fail } }).parseFromString(text, type);
    } catch {
      return new XmlParser().parseFromString('<parsererror/>', type);
    }
  }
}
vi.stubGlobal('DOMParser', BrowserParser);

const kInstances = `<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet>
<item><reservationId>r-1</reservationId><instancesSet><item><instanceId>i-1</instanceId><imageId>ami-1</imageId>
<instanceState><code>16</code><name>running</name></instanceState><instanceType>t3.micro</instanceType>
<launchTime>2026-01-02T03:04:05.000Z</launchTime><placement><availabilityZone>a</availabilityZone></placement>
<tagSet><item><key>Name</key><value>a &lt;b&gt; &amp; c</value></item></tagSet></item></instancesSet></item>
<item><instancesSet><item><instanceId>i-2</instanceId><instanceState><name>pending</name></instanceState></item></instancesSet></item>
</reservationSet></DescribeInstancesResponse>`;

function refusalOf(status: number, body: string): Refusal {
  try {
    parseAnswer(status, body);
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error('it was no refusal');
}

describe('answers', () => {
  it('are read by paths of names', () => {
    const [first, second] = readInstances(parseAnswer(200, kInstances));
    expect(first).toMatchObject({ id: 'i-1', name: 'a <b> & c', state: 'running', zone: 'a', type: 't3.micro' });
    expect(first?.launched.getTime()).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(second).toMatchObject({ id: 'i-2', name: '', state: 'pending', publicAddress: '', groups: [] });
  });

  it('of metrics have numbers', () => {
    const body =
      '<PileusGetMetricsResponse><vcpus>2</vcpus><memoryMiB>1024</memoryMiB><metricSet><item>' +
      '<at>2026-01-02T03:04:05.000Z</at><cpuPercent>12.5</cpuPercent><memoryMiB>300</memoryMiB></item></metricSet>' +
      '</PileusGetMetricsResponse>';
    const metrics = readMetrics(parseAnswer(200, body));
    expect(metrics.vcpus).toBe(2);
    expect(metrics.samples[0]).toMatchObject({ cpuPercent: 12.5, memoryMib: 300, diskRead: 0 });
  });

  it('that refuse say why', () => {
    const ec2 = '<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code><Message>no such image</Message></Error></Errors></Response>';
    expect(refusalOf(400, ec2)).toMatchObject({ code: 'InvalidAMIID.NotFound', message: 'no such image' });
    const sts = '<ErrorResponse><Error><Type>Sender</Type><Code>AuthFailure</Code><Message>no</Message></Error></ErrorResponse>';
    expect(refusalOf(401, sts)).toMatchObject({ code: 'AuthFailure', message: 'no' });
  });

  it.each(['', 'not xml', '<html><body>502</body></html>', '<Response>'])('that are none are refusals: %s', (body) => {
    expect(refusalOf(502, body).code).toBe('NoAnswer');
  });
});

describe('requests', () => {
  it('are forms as Signature V4 wants them', () => {
    expect(formOf({ Name: "a b+c/é!*'()", Empty: '', None: undefined, Flag: true })).toBe(
      'Name=a%20b%2Bc%2F%C3%A9%21%2A%27%28%29&Flag=true',
    );
    expect(list('InstanceId', ['i-1', 'i-2'])).toEqual({ 'InstanceId.1': 'i-1', 'InstanceId.2': 'i-2' });
    expect(list('Filter', ['x'], '.Name')).toEqual({ 'Filter.1.Name': 'x' });
  });
});
