/** Makes a certificate for 127.0.0.1 and the authority that signed it, for servers that speak TLS. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder, temporaryFolder } from './folder.ts';

/** All in PEM. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const run = promisify(execFile);
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const config = [
  '[req]',
  'distinguished_name = subject',
  '[subject]',
  '[authority]',
  'basicConstraints = critical, CA:TRUE',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
  '[server]',
  'basicConstraints = CA:FALSE',
  'subjectAltName = IP:127.0.0.1, DNS:localhost',
].join('\n');

/** @throws {Error} when the `openssl` program is not on the PATH. */
export async function makeCertificates(): Promise<Certificates> {
  const cwd = await temporaryFolder('certificates');
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd });
  const read = (name: string): Promise<string> => readFile(join(cwd, name), 'utf8');
  try {
    await writeFile(join(cwd, 'config'), config);
    const authority = [
      '-subj',
      '/CN=hotshelf tests',
      '-extensions',
      'authority',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
    ];
    await openssl('req', '-config', 'config', '-x509', ...key, '-days', '2', ...authority);
    await openssl('req', '-config', 'config', ...key, '-subj', '/CN=localhost', '-keyout', 'key', '-out', 'request');
    const signer = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-extfile',
      'config',
      '-extensions',
      'server',
    ];
    await openssl('x509', '-req', '-in', 'request', '-days', '2', ...signer, '-out', 'cert');
    return { ca: await read('ca.crt'), cert: await read('cert'), key: await read('key') };
  } catch (error) {
    throw new Error('Cannot make certificates: install the openssl program (apt-get install openssl)', {
      cause: error,
    });
  } finally {
    await removeFolder(cwd);
  }
}

/** Writes the PEM files into `folder`; their names are those of the fields. */
export async function writeCertificates(folder: string, certificates: Certificates): Promise<void> {
  for (const name of ['ca', 'cert', 'key'] as const) {
    await writeFile(join(folder, `${name}.pem`), certificates[name], { mode: 0o600 });
  }
}
