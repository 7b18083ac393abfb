/// A responder with an exact table of paths, beside which there are others.
package protocol OwnRoutes: Responder {
    /// The answer to a request whose path is in the table, whatever its method; `nil` for any other.
    ///
    /// Called on the event loop of the request's connection, so it must not block.
    func answerIfOwn(_ request: Request) -> Answer?
}
