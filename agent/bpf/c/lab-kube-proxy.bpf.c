int x; char l[] __attribute__((section("license")))="GPL";
