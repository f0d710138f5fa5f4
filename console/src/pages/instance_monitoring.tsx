// What an instance uses of its host, over the last hour at most.
import { useEffect, useState } from 'preact/hooks';
import { type Metrics, readMetrics, type Sample } from '../api/records';
import { Chart } from '../ui/chart';
import { bytes, mebibytes, percent } from '../ui/format';
import { Empty, Loading } from '../ui/parts';
import { toast } from '../ui/toasts';
import type { TabProps } from './instance';

const kAgain = 10_000;
const perSecond = (value: number): string => `${bytes(value)}/s`;

function Charts({ metrics: { samples, vcpus, memoryMib } }: { metrics: Metrics }) {
  const times = samples.map((sample) => sample.at);
  const line = (name: string, read: (sample: Sample) => number) => ({ name, values: samples.map(read) });
  return (
    <div class="charts">
      <Chart title="Processor" times={times} top={100} format={percent}
        lines={[line('of its processors', (sample) => sample.cpuPercent / Math.max(1, vcpus))]} />
      <Chart title="Memory of the host" times={times} least={memoryMib} format={mebibytes}
        lines={[line('used', (sample) => sample.memoryMib)]} />
      <Chart title="Network" times={times} least={1024} format={perSecond}
        lines={[line('in', (sample) => sample.networkIn), line('out', (sample) => sample.networkOut)]} />
      <Chart title="Disk" times={times} least={1024} format={perSecond}
        lines={[line('read', (sample) => sample.diskRead), line('written', (sample) => sample.diskWritten)]} />
    </div>
  );
}

export function MonitoringTab({ session, instance }: TabProps) {
  const [metrics, setMetrics] = useState<Metrics | null>(null);
  useEffect(() => {
    let failed = false;
    const read = async () => {
      try {
        setMetrics(readMetrics(await session.cloud.call('PileusGetMetrics', { InstanceId: instance.id })));
        failed = false;
      } catch (error) {
        if (!failed) toast('failed', error instanceof Error ? error.message : String(error));
        failed = true; // said once
      }
    };
    void read();
    const timer = window.setInterval(() => void read(), kAgain);
    return () => window.clearInterval(timer);
  }, [instance.id]);
  if (!metrics) return <Loading />;
  if (metrics.samples.length < 2) {
    return <Empty title="Figures come every ten seconds, while the instance runs on a host that tells them." />;
  }
  return <Charts metrics={metrics} />;
}
