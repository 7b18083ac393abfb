/// Whether a gatehouse works on this data folder.
package enum ServerState: Hashable, Sendable {
    /// It answered on the admin socket; its process where that is known.
    case running(process: Int32?)
    case stopped
    /// There is one, or may be, and this user cannot tell what it answers from what others do.
    case unreadableKey(String)
}
