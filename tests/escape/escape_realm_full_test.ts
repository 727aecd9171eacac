import { testCorpus } from "./test_corpus.ts";

testCorpus("realm");
