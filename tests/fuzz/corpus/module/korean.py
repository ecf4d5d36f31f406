# coding: cp949
f = '가'
