import { SFNClient, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import { plainHost, withoutPrefixOnThisMachine } from '../../../client/aws/step-functions';

const INPUT = {
  stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:machine',
  input: '{}',
};

/** Stops each request before it is sent, and tells its host. */
async function hostOf(endpoint: string): Promise<string> {
  const hosts: string[] = [];
  const client = new SFNClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    ...(endpoint !== '' && { endpoint }),
    requestHandler: {
      handle: ({ hostname }: { hostname: string }) => {
        hosts.push(hostname);
        return Promise.reject(new Error('not sent'));
      },
    },
    maxAttempts: 1,
  });
  const command = withoutPrefixOnThisMachine(new StartSyncExecutionCommand(INPUT));
  await expect(client.send(command)).rejects.toThrow('not sent');
  return hosts.join(' ');
}

describe('the host of StartSyncExecution', () => {
  it.each([
    ['http://127.0.0.1:4566', '127.0.0.1'],
    ['http://localhost:4566', 'localhost'],
    ['http://sfn.localhost:4566', 'sfn.localhost'],
    ['http://[::1]:4566', '[::1]'],
    ['https://states.example.com', 'sync-states.example.com'],
    ['', 'sync-states.us-east-1.amazonaws.com'],
  ])('of the endpoint %j is %s', async (endpoint, host) => {
    expect(await hostOf(endpoint)).toBe(host);
  });

  it('keeps names that only look like addresses', () => {
    expect(plainHost('sync-127.0.0.1.example.com')).toBe('sync-127.0.0.1.example.com');
    expect(plainHost('states.us-east-1.amazonaws.com')).toBe('states.us-east-1.amazonaws.com');
  });
});
