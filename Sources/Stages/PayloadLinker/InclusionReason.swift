/// Why something is in the payload.
package enum InclusionReason: Sendable, Equatable {
    /// The patch changed this function.
    case changed
    /// A definition that came from another file, and changed.
    case moved
    /// A pointer to a function that the hypervisor calls.
    case hook
    /// It is a part of a function that is included: its cold part, or the function of a cold part.
    case part
    /// The next refers to it, and the running hypervisor does not have it: new, or not there on its own.
    case needed(isNew: Bool)
}
