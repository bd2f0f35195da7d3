// The compiler recorder as a program of its own: small, because make starts it once for each object and probe.
import CompilerRecorder

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

exit(CompilerRecorder.run(Array(CommandLine.arguments.dropFirst())))
