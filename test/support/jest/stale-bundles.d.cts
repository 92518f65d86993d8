export declare function refuseStaleBundles(root: string, testFile: string): void;
