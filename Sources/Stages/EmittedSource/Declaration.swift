/// A declaration at file scope of a preprocessed source, or a line such as `#pragma` between two.
struct Declaration: Sendable {
    /// Its tokens in the source.
    let tokens: Range<Int>
    /// Whether the compiler may emit something for it, or emit something else for others, though nothing names it.
    let isRoot: Bool
    /// The numbers of the names that it declares: functions, variables, types, tags, enumerators. There may be too many, but never too few.
    let names: [Int32]
}
