// initialize, launch, configurationDone, restart, terminate, disconnect: the life of a session.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { crashFilter, recordFilters } from '../../host/breakpoints/filters.ts';
import { launchMachine } from '../../host/launch.ts';
import { applyBreakpoints } from '../breakpoint-state.ts';
import type { Answer, Family } from '../handler.ts';
import { parseLaunchArguments } from '../launch-arguments.ts';
import type { Session } from '../session.ts';
import { startTrace } from './custom.ts';
import { chooseDefaults } from './exceptions.ts';
import { threadOf } from './execution.ts';

const conditionDescription = "Over the record's decoded fields, such as: name == 'mmu_update' && ret == -EINVAL";

const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsInstructionBreakpoints: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsBreakpointLocationsRequest: true,
  supportsEvaluateForHovers: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsSteppingGranularity: true,
  supportsExceptionInfoRequest: true,
  supportsExceptionFilterOptions: true,
  supportsLoadedSourcesRequest: true,
  supportsRestartRequest: true,
  supportsTerminateRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsValueFormattingOptions: false,
  exceptionBreakpointFilters: [
    { filter: crashFilter.id, label: crashFilter.label, description: crashFilter.description, default: crashFilter.byDefault },
    ...recordFilters.map((f) => ({
      filter: f.id,
      label: f.label,
      description: f.description,
      default: f.byDefault,
      supportsCondition: true,
      conditionDescription,
    })),
  ],
};

function begin(session: Session): void {
  const { host, configuration } = session;
  if (!configuration?.stopOnEntry || configuration.noDebug) session.resume(() => host.continue());
  else session.event('stopped', { reason: 'entry', description: 'At the entry point', threadId: threadOf(0), allThreadsStopped: true });
}

function openMachine(session: Session, args: unknown): void {
  const configuration = parseLaunchArguments(args, session.world.cwd, (text) => session.output('important', text));
  const host = launchMachine(configuration, configuration);
  session.launchArguments = args;
  session.configuration = configuration;
  session.open(host);
  if (!configuration.noDebug) chooseDefaults(host);
  startTrace(session);
  for (const { domain, symbols } of host.guests.list())
    for (const warning of symbols.warnings) session.output('console', host.guests.several ? `domain ${domain}: ${warning}` : warning);
}

export const launchRequests: Family = {
  initialize: (session, args: DebugProtocol.InitializeRequestArguments): Answer<DebugProtocol.Capabilities> => {
    session.client = args;
    return { body: capabilities };
  },
  launch: (session, args: unknown) => {
    openMachine(session, args);
    return { after: () => session.event('initialized') };
  },
  configurationDone: (session) => {
    session.host.mustBeStopped();
    return { after: () => begin(session) };
  },
  restart: (session, args: DebugProtocol.RestartArguments) => {
    openMachine(session, args.arguments ?? session.launchArguments);
    applyBreakpoints(session);
    return { after: () => begin(session) };
  },
  terminate: (session) => {
    if (!session.hasHost || session.host.ending) return { after: () => session.event('terminated') };
    return { after: () => session.host.run.end() };
  },
  disconnect: (session) => {
    if (session.hasHost) session.host.run.end();
    return { after: () => session.world.closed() };
  },
};
