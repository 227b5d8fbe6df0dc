/**
 * What is made from checkout/: the one file that pages load, `checkout/checkout.js`, which is checked in, and the
 * examples that need a bundler, in target/examples. `npm run checkout` and `npm run examples` write them.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
export const checkout = path.resolve(here, '../../checkout');
const examples = path.resolve(here, '../../target/examples');

/** The text of `checkout/checkout.js`, as its source has it now. */
export async function checkoutModule() {
  const { outputFiles } = await build({
    entryPoints: [path.join(checkout, 'src/checkout.js')],
    bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', write: false, logLevel: 'error',
    banner: { js: '// PortOne checkout. Types and documentation: checkout.d.ts' },
  });
  return outputFiles[0].text;
}

export const buildExamples = () =>
  build({
    entryPoints: ['react.jsx', 'vue.js'].map((name) => path.join(checkout, 'examples', name)),
    outdir: examples,
    bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', logLevel: 'error',
    jsx: 'automatic',
    // The local system answers it.
    external: ['/config.js'],
    nodePaths: [path.join(here, 'node_modules')],
    // With the compiler: this example has its template beside it, and no build step of its own.
    alias: { vue: path.join(here, 'node_modules/vue/dist/vue.esm-bundler.js') },
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'examples') {
    await buildExamples();
  } else {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path.join(checkout, 'checkout.js'), await checkoutModule());
  }
}
