// Checks the pipelines of examples/pipelines against what their platforms publish:
//   node schemas.mjs PACKAGES PIPELINES      PACKAGES: the folder into which schemas_test.sh installed them
// A line for each mistake; exit 1 where there is one, or where a pipeline with a mistake in it passes.
import {readFileSync, readdirSync} from 'node:fs';
import {createRequire, register} from 'node:module';
import {pathToFileURL} from 'node:url';

// GitHub's parser is made for bundlers, and imports JSON as they let it.
register('data:text/javascript,' + encodeURIComponent(`
  import {readFile} from 'node:fs/promises';
  export async function load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    return {format: 'module', shortCircuit: true, source: 'export default ' + await readFile(new URL(url), 'utf8')};
  }`));

const [packages, pipelines] = process.argv.slice(2);
const from = createRequire(`${packages}/package.json`);
const load = path => import(pathToFileURL(`${packages}/node_modules/${path}`));

const {parseWorkflow, NoOperationTraceWriter} = await load('@actions/workflow-parser/dist/index.js');
const {schema} = await load('gitlab-ci-local/src/schema/schema.js');
const Ajv = from('ajv').default;
const {parse} = from('yaml');
const ajv = new Ajv({strict: false, allErrors: true, validateFormats: false});
const fitsGitLab = ajv.compile(schema);

const github = (name, content) =>
  parseWorkflow({name, content}, new NoOperationTraceWriter()).context.errors.getErrors().map(error => error.message);
const gitlab = (name, content) =>
  fitsGitLab(parse(content)) ? [] : fitsGitLab.errors.map(error => `${name}${error.instancePath}: ${error.message}`);

let failures = 0;
function check(path, errors, [right, wrong]) {
  const content = readFileSync(path, 'utf8');
  const found = errors(path, content);
  found.forEach(error => console.log(error));
  if (!content.includes(right) || errors(path, content.replace(right, wrong)).length === 0) {
    console.log(`${path}: '${wrong}' instead of '${right}' is not found`);
    failures += 1;
  }
  failures += found.length;
}

const workflows = readdirSync(`${pipelines}/github`).filter(name => name.endsWith('.yml'));
workflows.forEach(name => check(`${pipelines}/github/${name}`, github, ['runs-on:', 'runs_on:']));
check(`${pipelines}/gitlab/gitlab-ci.yml`, gitlab, ['stage: plan', 'stage: {}']);
console.log(`${workflows.length} workflows and 1 pipeline checked, ${failures} mistakes`);
process.exit(failures === 0 && workflows.length > 0 ? 0 : 1);
