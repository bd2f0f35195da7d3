/// Why something is in the payload.
package enum InclusionReason: Sendable, Equatable {
    /// The patch changed this function.
    case changed
    /// A changed definition that came from another file.
    case moved
    /// A pointer to a function that the hypervisor calls.
    case hook
    /// It belongs to a function that is included: its cold part, or the function of a cold part.
    case part
    /// The next item refers to it, and the running hypervisor lacks it: it is new, or exists there only inside something else.
    case needed(isNew: Bool)
}
