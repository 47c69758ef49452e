// The one place where Asio's and Beast's code that is not a template is compiled.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
