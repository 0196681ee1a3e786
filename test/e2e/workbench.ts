// The workbench as a user handles it. Every selector of VS Code's own markup stands here: they are internals of the pinned version.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get squiggles(): Locator {
    return this.page.locator('.monaco-editor .squiggly-error, .monaco-editor .squiggly-warning, .monaco-editor .squiggly-info');
  }
  get errors(): Locator {
    return this.page.locator('.monaco-editor .squiggly-error');
  }
  /** Text of the problem that F8 shows between the lines. */
  get markerText(): Locator {
    return this.page.locator('.monaco-editor .marker-widget');
  }
  get problems(): Locator {
    return this.page.locator('.markers-panel .monaco-list-row');
  }
  notification(text: RegExp): Locator {
    return this.page.locator('.notification-list-item', { hasText: text });
  }
  get quickFixes(): Locator {
    return this.page.locator('.action-widget .monaco-list-row');
  }
  get stackFrames(): Locator {
    return this.page.locator('.debug-call-stack .stack-frame');
  }
  get variables(): Locator {
    return this.page.locator('.debug-variables .monaco-list-row');
  }
  get breakpoints(): Locator {
    return this.page.locator('.debug-breakpoints .monaco-list-row');
  }
  get exceptionWidget(): Locator {
    return this.page.locator('.exception-widget');
  }
  /** Heading of the Markdown page that is shown. */
  get pageHeading(): Locator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame').locator('h1').first();
  }
  /** Text on the Markdown page that is shown. */
  pageText(text: RegExp): Locator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame').getByText(text).first();
  }
  line(text: string): Locator {
    return this.page.locator('.monaco-editor .view-line').filter({ hasText: text });
  }

  /** Opens a file of the workspace by name through the quick pick. */
  async openFile(name: string): Promise<void> {
    const input = await this.quickInput('Control+P');
    await input.fill(name);
    await this.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ hasText: name.split('/').at(-1)! })
      .first()
      .waitFor();
    await this.page.keyboard.press('Enter');
    await this.page
      .getByRole('tab', { name: new RegExp(`^${inRegExp(name.split('/').at(-1)!)}`) })
      .first()
      .waitFor();
  }

  /** Runs a command by its exact title. */
  async command(title: string): Promise<void> {
    await (await this.commandRow(title)).click();
  }

  /** The row of a command in the palette, which this opens. */
  private async commandRow(title: string): Promise<Locator> {
    const input = await this.quickInput('F1');
    await input.fill(`>${title}`);
    const label = this.page.locator('.label-name', { hasText: new RegExp(`^${inRegExp(title)}$`) });
    return this.page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row').filter({ has: label }).first();
  }

  /** Opens the quick input and waits until it has the keyboard: an earlier one that is still closing would take it away again. */
  private async quickInput(key: string): Promise<Locator> {
    const visible = this.page.locator('.quick-input-widget:visible');
    // Escape only for one that stays: a terminal under one that is closing would take it and drop its selection.
    const closed = await visible.waitFor({ state: 'hidden', timeout: 2000 }).then(
      () => true,
      () => false,
    );
    if (!closed) {
      await this.page.keyboard.press('Escape');
      await visible.waitFor({ state: 'hidden' });
    }
    await this.page.keyboard.press(key);
    await visible.locator('input:focus').first().waitFor();
    return visible.locator('input').first();
  }

  /** Puts the caret on a line (1-based) of the active editor and scrolls it into view. */
  async goToLine(line: number): Promise<void> {
    const status = this.page.locator('.statusbar-item', { hasText: `Ln ${line},` });
    await eventually(`the caret is on line ${line}`, async () => {
      await this.page.keyboard.press('Control+G');
      const input = this.page.locator('.quick-input-widget:visible input').first();
      await input.fill(`:${line}`, { timeout: 2000 });
      await this.page.keyboard.press('Enter');
      // An editor that is not ready yet leaves the widget open with a message.
      const shown = await status.waitFor({ timeout: 2000 }).then(
        () => true,
        () => false,
      );
      if (!shown) await this.page.keyboard.press('Escape');
      return shown;
    });
  }

  /** What the active terminal holds, by way of the clipboard: its rows are drawn, not text. */
  async terminalContents(): Promise<string> {
    await this.focusTerminal();
    await this.command('Terminal: Select All');
    const copy = await this.commandRow('Terminal: Copy Selection');
    // Of an empty terminal nothing is selected, and the command is not offered.
    const offered = await copy.waitFor({ timeout: 3000 }).then(
      () => true,
      () => false,
    );
    if (!offered) return '';
    await copy.click();
    // The page's navigator: our own compilation knows only a worker's.
    return this.page.evaluate(() => (navigator as unknown as { clipboard: { readText(): Promise<string> } }).clipboard.readText());
  }

  /** The command comes back before the terminal has the keyboard. */
  private async focusTerminal(): Promise<void> {
    await this.command('Terminal: Focus Terminal');
    await this.page.locator('.terminal-wrapper.active .xterm-helper-textarea:focus').waitFor();
  }

  /** Types a line into the active terminal. */
  async typeInTerminal(line: string): Promise<void> {
    await this.focusTerminal();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  /** Clicks the breakpoint margin beside a line of the active editor. */
  async clickGutter(line: number): Promise<void> {
    await this.goToLine(line);
    const number = this.page.locator('.editor-instance .margin-view-overlays .line-numbers', { hasText: new RegExp(`^${line}$`) }).first();
    const box = await number.boundingBox();
    const margin = await this.page.locator('.editor-instance .glyph-margin').first().boundingBox();
    if (!box || !margin) throw new Error(`line ${line} is not on screen`);
    await this.page.mouse.click(margin.x + margin.width / 2, box.y + box.height / 2);
  }

  /** Starts a launch configuration by its name. */
  async startConfiguration(name: string): Promise<void> {
    const input = await this.quickInput('Control+P');
    await input.fill(`debug ${name}`);
    await this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: name }).first().click();
  }

  /** Ticks or unticks a row of the Breakpoints view. */
  async toggleBreakpoint(name: string): Promise<void> {
    await this.breakpoints
      .filter({ hasText: name })
      .locator('input[type=checkbox], .monaco-checkbox, .monaco-custom-toggle')
      .first()
      .click();
  }

  /** Types into the quick input that a command has opened and accepts it. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget:visible input').first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }
}

const inRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** 1-based line of the first line of a sample's file that holds the text. */
export function lineOf(folder: string, file: string, text: string): number {
  const at = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  if (at < 0) throw new Error(`${file} has no line with ${text}`);
  return at + 1;
}

/** Waits until `probe` answers something truthy. */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, milliseconds = 15_000): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never happened: ${what} (last seen: ${last})`);
}
