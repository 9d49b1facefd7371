// A component that is drawn again only when what it shows has changed.
import { Component, type ComponentChild, type FunctionComponent } from "preact";

export function memo<P extends object>(Drawn: FunctionComponent<P>, same: (before: P, after: P) => boolean) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return !same(this.props as P, next as P);
    }
    override render(): ComponentChild {
      return <Drawn {...(this.props as P)} />;
    }
  };
}

/** Whether all the fields named are the same. */
export const equalIn = <T extends object>(a: T, b: T, fields: readonly (keyof T)[]) => fields.every((field) => a[field] === b[field]);
