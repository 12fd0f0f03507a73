#include <iostream>

// The least that a C++ program costs to start.
int main() { std::cout << "hello world\n"; }
